package paperboy.connector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static paperboy.connector.Until.until;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Connectors on servers with embedded messaging, over real HTTP. */
final class EmbeddedTest {
    private static final String PATH =
            "/messageCallback/paperboy-subscription-request";

    private final Server one = new Server();
    private final Server two = new Server();
    private final Log log = new Log();
    private final List<String> joined = new CopyOnWriteArrayList<>();
    private PaperboyConnector connector;

    EmbeddedTest() throws Exception {}

    @AfterEach
    void close() {
        if (connector != null) connector.close();
        one.close();
        two.close();
    }

    /** Lets everybody in, and keeps who has come. */
    private final class Open implements PaperboyCallbackHandler {
        @Override
        public boolean hasAccess(String userId, String channel) {
            return true;
        }

        @Override
        public void onSubscription(String userId, String channel) {
            joined.add(userId);
        }
    }

    private EmbeddedOptions options(String... servers) {
        return EmbeddedOptions.of(List.of(servers))
                .token(Server.TOKEN)
                .listen("127.0.0.1", 0)
                .callback("127.0.0.1")
                .interval(Duration.ofMillis(100))
                .timeout(Duration.ofSeconds(20));
    }

    private PaperboyConnector build(
            EmbeddedOptions options, PaperboyCallbackHandler handler) {
        return PaperboyConnector.builder(handler)
                .secret(Until.SECRET).logger(log).concurrency(1)
                .embedded(options).build();
    }

    private void connect(EmbeddedOptions options) throws IOException {
        connector = build(options, new Open());
        connector.start();
    }

    private void connect() throws IOException {
        connect(options(one.url, two.url));
    }

    /** Where the connector listens, as it has told a server. */
    private int port() {
        return URI.create(one.callbacks.get(0)).getPort();
    }

    private String callback() {
        return "http://127.0.0.1:" + port() + PATH;
    }

    private String request(String userId) {
        JsonObject request = new JsonObject();
        request.addProperty("wsId", "w");
        request.addProperty(
                "token", connector.generateToken(userId, "news"));
        return request.toString();
    }

    @Test
    void registersAtEveryServerAndShowsItsToken() throws Exception {
        connect();
        for (Server server : List.of(one, two)) {
            assertEquals(List.of(callback()), server.callbacks);
            assertEquals(List.of("GET /instance",
                    "POST /subscribeTopic/paperboy-subscription-request"),
                    server.requests.subList(0, 2));
            assertEquals(List.of(Server.TOKEN, Server.TOKEN),
                    server.shown.subList(0, 2));
            assertEquals("{\"restHostname\":\"127.0.0.1\",\"restPort\":" + port()
                    + ",\"restPath\":\"" + PATH + "\"}", server.bodies.get(1));
        }
    }

    @Test
    void registersOnceAndAgainWhenTheInstanceChanges() throws Exception {
        connect();
        int seen = one.requests.size();
        until("more questions", () -> one.requests.size() > seen + 2);
        assertEquals(1, one.callbacks.size());
        one.callbacks.clear();
        one.instance = "two";
        until("the callback", () -> one.callbacks.size() == 1);
        assertEquals(1, two.callbacks.size());
    }

    @Test
    void authorisesAndTellsAllServers() throws Exception {
        connect();
        assertEquals(List.of("200 done"), one.push(request("ann")));
        until("the subscription", () -> joined.size() == 1);
        for (Server server : List.of(one, two)) {
            assertEquals(List.of("paperboy-subscription-authorized "
                    + "{\"wsId\":\"w\",\"token\":null,\"userId\":\"ann\","
                    + "\"channel\":\"news\"}"), server.pushed);
        }
    }

    @Test
    void sendsToAllServersAndSaysHowManyTookIt() throws Exception {
        connect();
        assertEquals(2, connector.sendToChannel("news", Map.of("a", 1)));
        assertEquals(2, connector.closeSubscription("ann", "news"));
        // The same message has the same key, and another another.
        assertEquals(one.keys, two.keys);
        assertEquals(2, Set.copyOf(one.keys).size());
        assertFalse(one.keys.contains("null"));
        for (Server server : List.of(one, two)) {
            assertTrue(server.pushed.get(0).startsWith("paperboy-message {"
                    + "\"userId\":null,\"channel\":\"news\","
                    + "\"payload\":{\"a\":1},\"timestamp\":"));
            assertEquals("paperboy-subscription-close "
                    + "{\"wsId\":null,\"token\":null,\"userId\":\"ann\","
                    + "\"channel\":\"news\"}", server.pushed.get(1));
        }
        one.status = 500;
        assertEquals(1, connector.sendToUser("ann", 1));
        two.status = 500;
        String why = assertThrows(DeliveryException.class,
                () -> connector.sendToUser("ann", 1)).getMessage();
        assertEquals("no server took it: it answered 500", why);
    }

    @Test
    void answersNobodyWhoShowsAnotherToken() throws Exception {
        connect();
        for (String other : List.of(
                "", "x", Server.TOKEN + "x", Server.TOKEN.toUpperCase())) {
            assertEquals("401 its token is wrong",
                    Server.ask("POST", callback(), request("bob"), other));
        }
        one.push(request("ann"));
        until("the subscription", () -> !joined.isEmpty());
        assertEquals(List.of("ann"), joined);
    }

    @Test
    void answersDoneToBadRequestsNotToBeForgotten() throws Exception {
        connect();
        for (String bad : List.of("", "no JSON", "[]",
                "{\"wsId\":\"w\",\"token\":\"not a token\"}",
                "{\"wsId\":\"w\",\"token\":\"" + "x".repeat(100_000) + "\"}")) {
            assertEquals(List.of("200 done"), one.push(bad));
        }
        one.push(request("ann"));
        until("the good one", () -> !joined.isEmpty());
        assertTrue(log.has(Level.WARNING, "too large"));
        assertFalse(log.text().contains("not a token"));
        assertFalse(log.text().contains(Server.TOKEN));
    }

    @Test
    void servesItsCallbackAlone() throws Exception {
        connect();
        String base = "http://127.0.0.1:" + port();
        assertEquals("404 there is nothing here",
                Server.ask("GET", callback(), "", Server.TOKEN));
        for (String path : List.of(
                "/", PATH + "/x", "/messageCallback/paperboy-message")) {
            assertEquals("404 there is nothing here",
                    Server.ask("POST", base + path, "", Server.TOKEN));
        }
    }

    @Test
    void keepsNoMoreRequestsThanItMay() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        List<String> asked = new CopyOnWriteArrayList<>();
        connector = build(options(one.url).maxQueue(2), (userId, channel) -> {
            asked.add(userId);
            gate.await();
            return true;
        });
        connector.start();
        one.push(request("a"));
        until("the first", () -> asked.size() == 1);
        for (String user : List.of("b", "c", "d", "e")) {
            assertEquals(List.of("200 done"), one.push(request(user)));
        }
        until("a line", () -> log.has(Level.WARNING, "too many requests"));
        gate.countDown();
        until("those that were kept", () -> one.pushed.size() >= 3);
        assertEquals(List.of("a", "b", "c"), asked);
    }

    @Test
    void waitsForAServerThatIsAwayAndTellsItOnce() throws Exception {
        connect(options(one.url, "http://127.0.0.1:" + Until.freePort()));
        assertEquals(1, connector.sendToUser("ann", 1));
        int seen = one.requests.size();
        until("more questions", () -> one.requests.size() > seen + 3);
        assertEquals(1, log.count(Level.ERROR), log.text());
        assertTrue(log.has(Level.ERROR, "is away: ConnectException"),
                log.text());
    }

    @Test
    void registersWhenAServerComesBack() throws Exception {
        one.status = 503;
        connect();
        assertTrue(log.has(Level.ERROR, "is away: it answered 503"));
        one.status = 200;
        until("the callback", () -> one.callbacks.size() == 1);
        until("a line", () -> log.has(Level.INFO, "there again"));
    }

    @Test
    void tellsWhyAServerRefusesIt() throws Exception {
        one.status = 403;
        one.says = "{\"error\":\"forbidden\",\"message\":\"not\\n you\"}";
        connect();
        assertTrue(log.has(Level.ERROR,
                "is away: it answered 403: not? you"), log.text());
    }

    @Test
    void followsNobodyElsewhereWithItsToken() throws Exception {
        one.status = 302;
        connect(options(one.url));
        assertThrows(DeliveryException.class,
                () -> connector.sendToUser("ann", 1));
        assertFalse(one.requests.toString().contains("/elsewhere"));
    }

    @Test
    void givesAServerUpThatDoesNotAnswer() throws Exception {
        one.gate = new CountDownLatch(1);
        connect(options(one.url).timeout(Duration.ofMillis(100)));
        assertTrue(log.has(Level.ERROR, "is away"), log.text());
        assertThrows(DeliveryException.class,
                () -> connector.sendToUser("ann", 1));
    }

    @Test
    void takesNoEndlessAnswerForAnInstance() throws Exception {
        one.instance = "x".repeat(100_000);
        connect(options(one.url));
        assertTrue(log.has(Level.ERROR, "its answer is too long"), log.text());
    }

    @Test
    void saysThatItsPortIsTaken() throws Exception {
        connect();
        try (PaperboyConnector second = build(
                options(one.url).listen("127.0.0.1", port()), new Open())) {
            assertThrows(IOException.class, second::start);
        }
    }

    @Test
    void takesItsTokenFromTheEnvironment() throws Exception {
        connect(options(one.url).token(null));
        assertEquals("of the environment", one.shown.get(0));
    }

    @Test
    void endsWhileServersDoNotAnswer() throws Exception {
        connect(options(one.url).timeout(Duration.ofMinutes(1)));
        one.gate = new CountDownLatch(1);
        int seen = one.requests.size();
        List<String> errors = new CopyOnWriteArrayList<>();
        Thread sender = new Thread(() -> {
            try {
                connector.sendToUser("ann", 1);
            } catch (DeliveryException error) {
                errors.add(error.getMessage());
            }
        });
        sender.start();
        until("the message", () -> one.requests
                .subList(seen, one.requests.size()).toString()
                .contains("/pushMessage/"));
        connector.close();
        sender.join();
        assertEquals(1, errors.size());
    }
}
