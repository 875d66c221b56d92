package paperboy.connector;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Base64;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes and verifies tokens: JWTs of one kind, HS256, so few lines do. Nothing
 * of a token says how it is to be verified. For any thread.
 */
public final class TokenService {
    public static final Duration DEFAULT_LIFETIME = Duration.ofHours(8);

    private static final String ISSUER = "paperboy";
    private static final int MAX_TOKEN = 8192; // bytes
    private static final Pattern SIGNED = Pattern.compile("[\\w-]+\\.[\\w-]+");
    private static final String HEADER =
            encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}");

    private final SecretKeySpec key;
    private final long lifetime; // seconds

    /** With the secret of PAPERBOY_JWT_SECRET. */
    public TokenService() {
        this(null, DEFAULT_LIFETIME);
    }

    /** The secret may be null: that of PAPERBOY_JWT_SECRET. */
    public TokenService(String secret, Duration lifetime) {
        String text = Check.secret("secret", secret, "PAPERBOY_JWT_SECRET");
        key = new SecretKeySpec(bytes(text), "HmacSHA256");
        this.lifetime = Check.duration("tokenLifetime", lifetime,
                Duration.ofSeconds(1), Duration.ofDays(366)).getSeconds();
    }

    /** A token for a user and a channel; null: for the user alone. */
    public String generateToken(String userId, String channel) {
        Check.name("userId", userId);
        if (channel != null) Check.name("channel", channel);
        JsonObject claims = new JsonObject();
        claims.addProperty("iss", ISSUER);
        claims.addProperty("userId", userId);
        claims.addProperty("channel", channel);
        claims.addProperty("exp", now() + lifetime);
        String signed = HEADER + "." + encode(Json.GSON.toJson(claims));
        return signed + "." + sign(signed);
    }

    /** Who the token is for. */
    public Claims verify(String token) throws TokenException {
        if (token == null || token.length() > MAX_TOKEN) {
            throw new TokenException("it is no text, or too long");
        }
        int end = token.lastIndexOf('.');
        String signed = token.substring(0, Math.max(end, 0));
        if (!SIGNED.matcher(signed).matches()) {
            throw new TokenException("it is no JWT");
        }
        byte[] signature = bytes(token.substring(end + 1));
        if (!MessageDigest.isEqual(signature, bytes(sign(signed)))) {
            throw new TokenException("its signature is wrong");
        }
        int middle = signed.indexOf('.');
        checkHeader(decode(signed.substring(0, middle)));
        return claims(decode(signed.substring(middle + 1)));
    }

    private static void checkHeader(JsonObject header) throws TokenException {
        if (!"HS256".equals(Json.text(header, "alg"))) {
            throw new TokenException("its algorithm is not HS256");
        }
        if (header.has("crit")) {
            throw new TokenException("it asks for an extension");
        }
    }

    private static Claims claims(JsonObject claims) throws TokenException {
        if (!ISSUER.equals(Json.text(claims, "iss"))) {
            throw new TokenException("its issuer is another");
        }
        JsonElement exp = claims.get("exp");
        if (exp == null || !exp.isJsonPrimitive()
                || !exp.getAsJsonPrimitive().isNumber()) {
            throw new TokenException("it never expires");
        }
        // Written so that what is no number has expired.
        if (!(now() < exp.getAsDouble())) {
            throw new TokenException("it has expired");
        }
        try {
            String userId = Check.name("userId", Json.text(claims, "userId"));
            String channel = null;
            if (Json.has(claims, "channel")) {
                channel = Check.name("channel", Json.text(claims, "channel"));
            }
            return new Claims(userId, channel);
        } catch (IllegalArgumentException error) {
            throw new TokenException(error.getMessage());
        }
    }

    private String sign(String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return Base64.getUrlEncoder().withoutPadding()
                    .encodeToString(mac.doFinal(bytes(text)));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error); // every Java has it
        }
    }

    private static String encode(String text) {
        return Base64.getUrlEncoder().withoutPadding()
                .encodeToString(bytes(text));
    }

    private static JsonObject decode(String part) throws TokenException {
        JsonObject object = null;
        try {
            byte[] data = Base64.getUrlDecoder().decode(part);
            object = Json.read(new String(data, StandardCharsets.UTF_8));
        } catch (IllegalArgumentException error) {
            // It is told below: what the decoder says shows a part of it.
        }
        if (object == null) throw new TokenException("it holds no object");
        return object;
    }

    private static long now() {
        return System.currentTimeMillis() / 1000;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
