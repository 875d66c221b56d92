package paperboy.connector;

import com.google.gson.JsonElement;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A small application on the connector, for tests that have a real nginx:
 *
 * <pre>
 *   ConnectorApp redis URL
 *   ConnectorApp embedded TOKEN URL...
 * </pre>
 *
 * It lets everybody into channels that don't begin with `secret`, and tells the
 * channel who has come. It does what it is told on standard input, one order a
 * line, and answers each with a line; it ends where that ends:
 *
 * <pre>
 *   token USER [CHANNEL]     the token
 *   channel CHANNEL JSON     how many servers took it, or `error: WHY`
 *   user USER JSON           the same
 *   close USER CHANNEL       the same
 * </pre>
 */
final class ConnectorApp implements PaperboyCallbackHandler {
    private PaperboyConnector connector;

    public static void main(String[] where) throws Exception {
        ConnectorApp app = new ConnectorApp();
        PaperboyConnector.Builder builder = PaperboyConnector.builder(app);
        if (where[0].equals("redis")) {
            builder.redis(where[1]);
        } else {
            List<String> all = List.of(where);
            builder.embedded(EmbeddedOptions.of(all.subList(2, all.size()))
                    .token(where[1])
                    .listen("127.0.0.1", 0)
                    .callback("127.0.0.1")
                    .interval(Duration.ofMillis(100)));
        }
        app.connector = builder.build();
        try (PaperboyConnector connector = app.connector) {
            connector.start();
            System.out.println("ready");
            BufferedReader orders = new BufferedReader(
                    new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line; (line = orders.readLine()) != null; ) {
                System.out.println(app.obey(line.split(" ", 3)));
            }
        }
    }

    private Object obey(String[] order) {
        try {
            String name = order[1];
            String rest = order.length > 2 ? order[2] : null;
            switch (order[0]) {
                case "token":
                    return connector.generateToken(name, rest);
                case "channel":
                    return connector.sendToChannel(name, json(rest));
                case "user":
                    return connector.sendToUser(name, json(rest));
                case "close":
                    return connector.closeSubscription(name, rest);
                default:
                    return "error: no such order";
            }
        } catch (RuntimeException error) {
            return "error: " + error.getMessage();
        }
    }

    private static JsonElement json(String text) {
        return Json.GSON.fromJson(text, JsonElement.class);
    }

    @Override
    public boolean hasAccess(String userId, String channel) {
        return channel == null || !channel.startsWith("secret");
    }

    @Override
    public void onSubscription(String userId, String channel) {
        if (channel == null) return;
        connector.sendToChannel(channel, Map.of("source", "system",
                "message", "User '" + userId + "' joined."));
    }
}
