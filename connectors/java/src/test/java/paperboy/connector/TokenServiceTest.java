package paperboy.connector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Tokens: those that all connectors must tell apart, and what is made here. */
final class TokenServiceTest {
    private final JsonObject shared =
            Json.read(Files.readString(Path.of("../tokens.json")));
    private final String secret = Json.text(shared, "secret");
    private final TokenService tokens =
            new TokenService(secret, TokenService.DEFAULT_LIFETIME);

    TokenServiceTest() throws Exception {}

    @TestFactory
    List<DynamicTest> good() {
        List<DynamicTest> all = new ArrayList<>();
        for (JsonElement one : shared.getAsJsonArray("good")) {
            JsonObject good = one.getAsJsonObject();
            all.add(DynamicTest.dynamicTest(Json.text(good, "name"), () -> {
                Claims claims = tokens.verify(Json.text(good, "token"));
                assertEquals(Json.text(good, "userId"), claims.userId());
                assertEquals(Json.text(good, "channel"), claims.channel());
            }));
        }
        return all;
    }

    @TestFactory
    List<DynamicTest> bad() {
        List<DynamicTest> all = new ArrayList<>();
        for (JsonElement one : shared.getAsJsonArray("bad")) {
            JsonObject bad = one.getAsJsonObject();
            String token = Json.text(bad, "token");
            all.add(DynamicTest.dynamicTest(Json.text(bad, "name"), () -> {
                String message = assertThrows(TokenException.class,
                        () -> tokens.verify(token)).getMessage();
                assertFalse(token.length() > 9
                        && message.contains(token.substring(9)));
            }));
        }
        return all;
    }

    @Test
    void nothingIsBad() {
        assertThrows(TokenException.class, () -> tokens.verify(null));
    }

    @Test
    void holdWhatTheyAreForForEightHours() throws Exception {
        long before = System.currentTimeMillis() / 1000;
        String token = tokens.generateToken("Zoë", "räume/1");
        long after = System.currentTimeMillis() / 1000;
        JsonObject claims = Json.read(new String(
                Base64.getUrlDecoder().decode(token.split("\\.")[1]),
                StandardCharsets.UTF_8));
        long exp = claims.remove("exp").getAsLong();
        assertTrue(before + 28800 <= exp && exp <= after + 28800);
        assertEquals("{\"iss\":\"paperboy\",\"userId\":\"Zoë\","
                + "\"channel\":\"räume/1\"}", Json.GSON.toJson(claims));
        assertEquals("Zoë", tokens.verify(token).userId());
        assertEquals("räume/1", tokens.verify(token).channel());
    }

    @Test
    void withoutAChannelAreForAUserAlone() throws Exception {
        Claims claims = tokens.verify(tokens.generateToken("ann", null));
        assertEquals("ann", claims.userId());
        assertNull(claims.channel());
    }

    @Test
    void expire() throws Exception {
        TokenService brief = new TokenService(secret, Duration.ofSeconds(1));
        String token = brief.generateToken("ann", "news");
        Until.until("its end", () -> {
            try {
                brief.verify(token);
                return false;
            } catch (TokenException error) {
                return error.getMessage().contains("expired");
            }
        });
    }

    @Test
    void areMadeForNamesAlone() {
        String[][] wrong = {
            {null, "a"}, {"", "a"}, {"ann", ""}, {"x".repeat(256), "a"},
            {"ann", "ä".repeat(128)}, {"ann", "\ud800"},
        };
        for (String[] names : wrong) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> tokens.generateToken(names[0], names[1]))
                    .getMessage();
            assertTrue(message.matches("(userId|channel): .*"), message);
        }
    }

    @Test
    void needASecretThatSaysSomething() {
        for (String none : new String[] {"", "  "}) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> new TokenService(none, Duration.ofHours(1)))
                    .getMessage();
            assertTrue(message.startsWith(
                    "secret: neither it nor PAPERBOY_JWT_SECRET"), message);
        }
    }

    @Test
    void takeTheSecretOfTheEnvironment() throws Exception {
        TokenService same = new TokenService(
                "of the environment", Duration.ofHours(1));
        assertEquals("ann", new TokenService()
                .verify(same.generateToken("ann", null)).userId());
    }

    @Test
    void haveALifetime() {
        for (Duration wrong : new Duration[] {
            null, Duration.ZERO, Duration.ofSeconds(-1), Duration.ofDays(367)
        }) {
            assertThrows(IllegalArgumentException.class,
                    () -> new TokenService(secret, wrong));
        }
    }
}
