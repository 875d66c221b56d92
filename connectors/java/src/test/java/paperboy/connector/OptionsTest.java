package paperboy.connector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What a connector is made with, and what is wrong there. */
final class OptionsTest {
    private static final List<String> SERVERS = List.of("http://127.0.0.1:1");

    private static PaperboyConnector.Builder good() {
        return PaperboyConnector.builder((userId, channel) -> true)
                .secret(Until.SECRET)
                .redis("redis://127.0.0.1:1")
                .logger(new Log());
    }

    private static EmbeddedOptions embedded() {
        return EmbeddedOptions.of(SERVERS);
    }

    private static void refused(String begin, Executable make) {
        String message = assertThrows(
                IllegalArgumentException.class, make).getMessage();
        assertTrue(message.startsWith(begin), message);
    }

    @Test
    void wrongOnesAreNamed() {
        refused("handler: ", () -> PaperboyConnector.builder(null));
        refused("secret: ", () -> good().secret(" ").build());
        refused("tokenLifetime: ",
                () -> good().tokenLifetime(Duration.ZERO).build());
        refused("concurrency: ", () -> good().concurrency(0));
        refused("concurrency: ", () -> good().concurrency(1001));
        refused("maxMessageSize: ", () -> good().maxMessageSize(0));
        refused("logger: ", () -> good().logger(null));
        refused("one of redis and embedded",
                () -> good().redis((String) null).build());
        refused("one of redis and embedded",
                () -> good().embedded(embedded()).build());
        refused("redis: Jedis refuses", () -> good().redis("x").build());
    }

    @Test
    void wrongOnesOfEmbeddedAreNamed() {
        refused("servers: 1 to 100", () -> EmbeddedOptions.of(null));
        refused("servers: 1 to 100", () -> EmbeddedOptions.of(List.of()));
        refused("servers: 1 to 100", () -> EmbeddedOptions.of(
                Collections.nCopies(101, SERVERS.get(0))));
        for (String wrong : new String[] {
            "localhost:1", "/x", "ftp://x", null
        }) {
            refused("servers: an address is",
                    () -> EmbeddedOptions.of(Arrays.asList(wrong)));
        }
        refused("port: ", () -> embedded().listen("", 65536));
        refused("host: ", () -> embedded().listen(null, 1));
        refused("callbackPort: ", () -> embedded().callback("a", 0));
        refused("interval: ", () -> embedded().interval(Duration.ofMillis(1)));
        refused("timeout: ", () -> embedded().timeout(null));
        refused("maxQueue: ", () -> embedded().maxQueue(0));
        for (String token : new String[] {"", "ä", "a\nb", " a"}) {
            refused("token: ", () -> good().redis((String) null)
                    .embedded(embedded().token(token)).build());
        }
    }

    @Test
    void thatAreWrongShowNoPassword() {
        for (String address : new String[] {
            "http://me:hidden@x", "redis://me:hidden@ x"
        }) {
            Exception error = assertThrows(IllegalArgumentException.class,
                    () -> good().redis(address).build());
            assertFalse(error.getMessage().contains("hidden"));
            assertNull(error.getCause());
        }
    }

    @Test
    void aConnectorThatWasNotStartedMakesAndVerifiesTokens() throws Exception {
        try (PaperboyConnector connector = good().build()) {
            String token = connector.generateToken("ann", "news");
            assertEquals("news", connector.verifyToken(token).channel());
        }
    }

    @Test
    void aConnectorThatWasNotStartedSendsNothingAndCloses() {
        PaperboyConnector connector = good().build();
        assertThrows(DeliveryException.class,
                () -> connector.sendToUser("ann", 1));
        connector.close();
        connector.close();
        assertThrows(IllegalStateException.class, connector::start);
    }

    @Test
    void tellsWhatIsWrongWithAMessage() {
        try (PaperboyConnector connector =
                good().maxMessageSize(100).build()) {
            refused("userId: ", () -> connector.sendToUser("", 1));
            refused("channel: ", () -> connector.sendToChannel(null, 1));
            refused("channel: ", () -> connector.closeSubscription("a", ""));
            refused("payload: ", () -> connector.sendToUser("a", Double.NaN));
            refused("payload: ", () -> connector.sendToUser("a", "\ud800"));
            refused("the message has ",
                    () -> connector.sendToChannel("a", "ä".repeat(30)));
        }
    }
}
