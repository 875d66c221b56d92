package paperboy.connector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static paperboy.connector.Until.until;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.RedisClient;

/** Connectors on a real Redis: what they take from it, and put there. */
final class RedisTest {
    private static Redis redis;

    private final Log log = new Log();
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final List<PaperboyConnector> connectors = new ArrayList<>();

    @BeforeAll
    static void startRedis() throws Exception {
        redis = new Redis();
    }

    @AfterAll
    static void stopRedis() throws Exception {
        redis.close();
    }

    @BeforeEach
    void forget() {
        redis.heard.clear();
        redis.topics.clear();
    }

    @AfterEach
    void closeAll() {
        connectors.forEach(PaperboyConnector::close);
    }

    private PaperboyConnector connect(PaperboyCallbackHandler handler)
            throws Exception {
        return start(builder(handler).redis(redis.url));
    }

    private PaperboyConnector.Builder builder(PaperboyCallbackHandler handler) {
        return PaperboyConnector.builder(handler)
                .secret(Until.SECRET).logger(log);
    }

    private PaperboyConnector start(PaperboyConnector.Builder builder)
            throws Exception {
        PaperboyConnector connector = builder.build();
        connectors.add(connector);
        connector.start();
        return connector;
    }

    /** Lets everybody in, and keeps what it is asked and told. */
    private final class Open implements PaperboyCallbackHandler {
        @Override
        public boolean hasAccess(String userId, String channel) {
            return calls.add("hasAccess " + userId + " " + channel);
        }

        @Override
        public void onSubscription(String userId, String channel) {
            calls.add("onSubscription " + userId + " " + channel);
        }
    }

    @Test
    void authorisesWhomTheApplicationLetsIn() throws Exception {
        PaperboyConnector connector = connect(new Open());
        redis.ask("w1", connector.generateToken("Zoë", "räume"));
        until("both calls", () -> calls.size() == 2);
        assertEquals(List.of(
                "hasAccess Zoë räume", "onSubscription Zoë räume"), calls);
        until("the authorisation", () -> redis.heard.size() == 1);
        assertEquals(List.of(Messaging.AUTHORIZED), redis.topics);
        assertEquals("{\"wsId\":\"w1\",\"token\":null,\"userId\":\"Zoë\","
                + "\"channel\":\"räume\"}",
                Json.GSON.toJson(redis.heard.get(0)));
    }

    @Test
    void saysThatSomeoneHasComeAfterTheServerWasTold() throws Exception {
        PaperboyConnector[] self = new PaperboyConnector[1];
        self[0] = builder(new PaperboyCallbackHandler() {
            @Override
            public boolean hasAccess(String userId, String channel) {
                return true;
            }

            @Override
            public void onSubscription(String userId, String channel) {
                self[0].sendToChannel(channel, Map.of("joined", userId));
            }
        }).redis(redis.url).build();
        connectors.add(self[0]);
        self[0].start();
        redis.ask("w1", self[0].generateToken("ann", "news"));
        until("both", () -> redis.heard.size() == 2);
        assertEquals(
                List.of(Messaging.AUTHORIZED, Messaging.MESSAGE), redis.topics);
        JsonObject message = redis.heard.get(1);
        message.remove("timestamp");
        assertEquals("{\"userId\":null,\"channel\":\"news\","
                + "\"payload\":{\"joined\":\"ann\"}}",
                Json.GSON.toJson(message));
    }

    @Test
    void authorisesAUserAlone() throws Exception {
        PaperboyConnector connector = connect(new Open());
        redis.ask("w1", connector.generateToken("ann", null));
        until("both calls", () -> calls.size() == 2);
        assertEquals("hasAccess ann null", calls.get(0));
        until("the authorisation", () -> redis.heard.size() == 1);
        assertEquals("{\"wsId\":\"w1\",\"token\":null,\"userId\":\"ann\","
                + "\"channel\":null}", Json.GSON.toJson(redis.heard.get(0)));
    }

    @Test
    void keepsOutWhomTheApplicationDoesNotLetIn() throws Exception {
        PaperboyConnector connector = start(
                builder((userId, channel) -> userId.equals("ann"))
                        .redis(redis.url).concurrency(1));
        redis.ask("of bob", connector.generateToken("bob", "news"));
        redis.ask("of ann", connector.generateToken("ann", "news"));
        until("the authorisation", () -> !redis.ids().isEmpty());
        assertEquals(List.of("of ann"), redis.ids());
        assertTrue(log.has(Level.INFO, "no access", "of bob"));
    }

    @Test
    void dropsWhatIsNoRequestAndBadTokensAndGoesOn() throws Exception {
        PaperboyConnector connector = start(
                builder(new Open()).redis(redis.url).concurrency(1));
        String token = connector.generateToken("ann", "news");
        String forged = token.substring(0, token.length() - 4) + "AAAA";
        for (String bad : new String[] {
            "", "no JSON", "{\"wsId\":\"w\"", "null", "7", "[]",
            "[".repeat(10000),
            "{\"token\":\"" + token + "\"}",
            "{\"wsId\":7,\"token\":\"" + token + "\"}",
            "{'wsId':'w','token':'" + token + "'}",
            "{\"wsId\":\"w\"}",
            "{\"wsId\":\"w\",\"token\":null}",
            "{\"wsId\":\"w\",\"token\":[\"" + token + "\"]}",
            "{\"wsId\":\"w\",\"token\":\"" + token + "\",\"more\":\""
                    + "x".repeat(17000) + "\"}",
        }) {
            redis.ask(bad);
        }
        redis.ask("", token);
        redis.ask("x".repeat(129), token);
        redis.ask("w", "x".repeat(17000));
        redis.ask("w", "not a token");
        redis.ask("w", forged);
        redis.ask("good", token);
        until("the good one", () -> !redis.ids().isEmpty());
        assertEquals(List.of("good"), redis.ids());
        assertTrue(log.has(Level.WARNING, "that is none was dropped"));
        assertTrue(log.has(Level.WARNING,
                "bad token of connection \"w\": its signature"));
        for (String hidden : new String[] {
            token, forged, "not a token", "xxxxx", Until.SECRET
        }) {
            assertFalse(log.text().contains(hidden), hidden);
        }
    }

    @Test
    void outlivesCallbacksThatThrow() throws Exception {
        PaperboyConnector connector = start(
                builder(new PaperboyCallbackHandler() {
                    @Override
                    public boolean hasAccess(String userId, String channel)
                            throws IOException {
                        if (userId.equals("one")) {
                            throw new IOException("no database");
                        }
                        return true;
                    }

                    @Override
                    public void onSubscription(String userId, String channel) {
                        throw new IllegalStateException("no snapshot");
                    }
                }).redis(redis.url).concurrency(1));
        for (String user : new String[] {"one", "two", "three"}) {
            redis.ask(user, connector.generateToken(user, "news"));
        }
        until("a line", () ->
                log.has(Level.ERROR, "onSubscription failed", "three"));
        until("those who got through", () -> redis.ids().size() == 2);
        assertEquals(List.of("two", "three"), redis.ids());
        assertTrue(log.has(
                Level.ERROR, "hasAccess failed", "\"one\"", "no database"));
        assertTrue(log.has(Level.ERROR, "no snapshot"));
    }

    @Test
    void looksAtNoMoreRequestsAtOnceThanItMay() throws Exception {
        Semaphore gate = new Semaphore(0);
        AtomicInteger running = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        PaperboyConnector connector = start(builder((userId, channel) -> {
            most.accumulateAndGet(running.incrementAndGet(), Math::max);
            gate.acquire();
            running.decrementAndGet();
            return true;
        }).redis(redis.url).concurrency(2));
        for (String id : List.of("a", "b", "c", "d", "e")) {
            redis.ask(id, connector.generateToken("ann", "news"));
        }
        until("two of them", () -> running.get() == 2);
        // The others wait in Redis, where another back end may take them.
        assertEquals(3, redis.client.llen(Messaging.REQUEST));
        gate.release(5);
        until("all", () -> redis.ids().size() == 5);
        assertEquals(2, most.get());
    }

    @Test
    void sharesRequestsWithOtherBackEndsEachToOne() throws Exception {
        List<String> taken = new CopyOnWriteArrayList<>();
        PaperboyConnector connector = null;
        for (String name : List.of("a", "b", "c")) {
            connector = start(builder((userId, channel) -> taken.add(name))
                    .redis(redis.url).concurrency(1));
        }
        List<String> asked = new ArrayList<>();
        for (int i = 10; i < 70; i++) {
            asked.add("w" + i);
            redis.ask("w" + i, connector.generateToken("ann", "news"));
        }
        until("all", () -> redis.ids().size() >= 60);
        List<String> ids = new ArrayList<>(redis.ids());
        ids.sort(null);
        assertEquals(asked, ids);
        assertEquals(60, taken.size());
        assertTrue(new HashSet<>(taken).size() > 1);
    }

    @Test
    void sendsToChannelsAndUsersAndEndsSubscriptions() throws Exception {
        PaperboyConnector connector = connect(new Open());
        long begin = System.currentTimeMillis();
        // The listener of this test stands in for a server.
        assertEquals(1, connector.sendToChannel(
                "news", Map.of("text", "1 < 2")));
        assertEquals(1, connector.sendToUser(
                "ann", Arrays.asList(null, 0.1, "ä\n")));
        assertEquals(1, connector.closeSubscription("ann", "news"));
        until("all", () -> redis.heard.size() == 3);
        List<String> texts = new ArrayList<>();
        for (JsonObject message : redis.heard) {
            if (message.has("timestamp")) {
                long stamp = message.remove("timestamp").getAsLong();
                assertTrue(begin <= stamp
                        && stamp <= System.currentTimeMillis());
            }
            texts.add(Json.GSON.toJson(message));
        }
        assertEquals(List.of(
                Messaging.MESSAGE, Messaging.MESSAGE, Messaging.CLOSE),
                redis.topics);
        assertEquals(List.of(
                "{\"userId\":null,\"channel\":\"news\","
                        + "\"payload\":{\"text\":\"1 < 2\"}}",
                "{\"userId\":\"ann\",\"channel\":null,"
                        + "\"payload\":[null,0.1,\"ä\\n\"]}",
                "{\"wsId\":null,\"token\":null,\"userId\":\"ann\","
                        + "\"channel\":\"news\"}"), texts);
    }

    @Test
    void takesAClientOfTheApplicationAndLeavesItOpen() throws Exception {
        try (RedisClient client =
                RedisClient.create("127.0.0.1", redis.port)) {
            PaperboyConnector connector =
                    start(builder(new Open()).redis(client));
            redis.ask("w", connector.generateToken("ann", "news"));
            until("the authorisation", () -> !redis.ids().isEmpty());
            connector.close();
            assertEquals("PONG", client.ping());
        }
    }

    @Test
    void takesPasswordAndDatabaseOfAnAddress() throws Exception {
        try (Redis guarded = new Redis("--requirepass", "hidden");
                RedisClient client = RedisClient.create(
                        "redis://:hidden@127.0.0.1:" + guarded.port + "/3")) {
            PaperboyConnector connector = start(builder(new Open())
                    .redis("redis://:hidden@127.0.0.1:" + guarded.port + "/3"));
            String token = connector.generateToken("ann", "news");
            client.rpush(Messaging.REQUEST,
                    "{\"wsId\":\"w\",\"token\":\"" + token + "\"}");
            until("both calls", () -> calls.size() == 2);
            connector.close();
            PaperboyConnector refused = start(builder(new Open())
                    .redis("redis://:other@127.0.0.1:" + guarded.port));
            assertTrue(log.has(Level.ERROR, "Redis gives no", "WRONGPASS"),
                    log.text());
            refused.close();
            assertFalse(log.text().contains("hidden"));
        }
    }

    @Test
    void startsOnce() throws Exception {
        PaperboyConnector connector = connect(new Open());
        assertThrows(IllegalStateException.class, connector::start);
    }

    @Test
    void endsWhileACallbackHangsAndTakesNothingThen() throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        PaperboyConnector connector = connect((userId, channel) -> {
            calls.add(userId);
            gate.await();
            return true;
        });
        String token = connector.generateToken("ann", "news");
        redis.ask("w", token);
        until("the request", () -> calls.size() == 1);
        connector.close();
        redis.ask("later", token);
        gate.countDown();
        assertThrows(DeliveryException.class,
                () -> connector.sendToUser("ann", 1));
        assertTrue(redis.client.lpop(Messaging.REQUEST).contains("later"));
        assertEquals(1, calls.size());
    }

    @Test
    void tellsThatRedisIsAwayAndGoesOnWhenItIsBack() throws Exception {
        try (Redis other = new Redis()) {
            PaperboyConnector connector =
                    start(builder(new Open()).redis(other.url));
            other.ask("before", connector.generateToken("before", "news"));
            until("the first", () -> calls.size() == 2);
            other.kill();
            until("a line", () -> log.has(Level.ERROR, "Redis gives no"));
            assertThrows(DeliveryException.class,
                    () -> connector.sendToUser("ann", 1));
            other.run();
            other.ask("after", connector.generateToken("after", "news"));
            until("the next", () -> calls.size() == 4);
            until("a line", () -> log.has(Level.INFO, "Redis gives requests"));
            assertEquals(1, connector.sendToUser("ann", 1));
            assertEquals(1, log.count(Level.ERROR), log.text());
        }
    }

    @Test
    void waitsOutWhatRedisAnswersWrongly() throws Exception {
        PaperboyConnector connector = connect(new Open());
        redis.client.set(Messaging.REQUEST, "no list");
        until("a line", () -> log.has(Level.ERROR, "Redis gives no", "WRONG"));
        redis.client.del(Messaging.REQUEST);
        redis.ask("w", connector.generateToken("ann", "news"));
        until("the next", () -> calls.size() == 2);
    }

    @Test
    void startsWithoutARedisAndEnds() throws Exception {
        start(builder(new Open()).redis("redis://:hidden@127.0.0.1:1")).close();
        assertTrue(log.has(Level.ERROR, "Redis gives no requests", "connect"),
                log.text());
        assertFalse(log.text().contains("hidden"));
    }
}
