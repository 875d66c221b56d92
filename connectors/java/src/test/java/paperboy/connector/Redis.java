package paperboy.connector;

import com.google.gson.JsonObject;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisDataException;

/** Debian's redis-server on a free port, in a temporary directory. */
final class Redis implements AutoCloseable {
    private static final String BINARY = System.getenv().getOrDefault(
            "PAPERBOY_REDIS", "/usr/bin/redis-server");

    int port;
    String url;
    final List<String> topics = new CopyOnWriteArrayList<>();
    final List<JsonObject> heard = new CopyOnWriteArrayList<>();
    RedisClient client;
    private final Path folder = Files.createTempDirectory("paperboy-redis");
    private final String[] more;
    private Process process;
    private JedisPubSub listener;

    /** {@code more} is further arguments of redis-server. */
    Redis(String... more) throws Exception {
        this.more = more;
        for (int tries = 1; ; tries++) {
            port = Until.freePort();
            url = "redis://127.0.0.1:" + port;
            try {
                run();
                return;
            } catch (IllegalStateException error) {
                // Somebody else has taken the port meanwhile.
                if (tries == 5) throw error;
            }
        }
    }

    /** Begins, on the same port, and has nothing. */
    void run() throws Exception {
        List<String> command = new ArrayList<>(List.of(
                BINARY, "--port", "" + port, "--bind", "127.0.0.1",
                "--dir", folder.toString(),
                "--save", "", "--appendonly", "no"));
        command.addAll(List.of(more));
        process = new ProcessBuilder(command)
                .redirectOutput(new File("/dev/null"))
                .redirectErrorStream(true)
                .start();
        client = RedisClient.create("127.0.0.1", port);
        Until.until("Redis", () -> {
            if (!process.isAlive()) throw new IllegalStateException("ended");
            try {
                return client.ping() != null;
            } catch (JedisDataException error) {
                return true; // it asks for the test's password
            } catch (RuntimeException error) {
                return false;
            }
        });
        if (more.length == 0) listen();
    }

    private void listen() throws Exception {
        JedisPubSub hear = new JedisPubSub() {
            @Override
            public void onPMessage(String all, String topic, String text) {
                topics.add(topic);
                heard.add(Json.read(text));
            }
        };
        listener = hear;
        RedisClient from = client;
        Thread thread = new Thread(() -> {
            try {
                from.psubscribe(hear, "*");
            } catch (RuntimeException error) {
                // It was killed.
            }
        });
        thread.setDaemon(true);
        thread.start();
        Until.until("the listener", hear::isSubscribed);
    }

    void ask(String wsId, String token) {
        JsonObject request = new JsonObject();
        request.addProperty("wsId", wsId);
        request.addProperty("token", token);
        ask(request.toString());
    }

    void ask(String request) {
        client.rpush(Messaging.REQUEST, request);
    }

    /** The connections that were authorised. */
    List<String> ids() {
        return heard.stream()
                .filter(message -> message.has("wsId"))
                .map(message -> Json.text(message, "wsId"))
                .filter(id -> id != null)
                .collect(Collectors.toList());
    }

    /** Ends it at once, as a crash would. */
    void kill() throws Exception {
        process.destroyForcibly().waitFor();
        client.close();
    }

    @Override
    public void close() throws Exception {
        if (listener != null) listener.punsubscribe();
        kill();
        try (Stream<Path> all = Files.walk(folder)) {
            all.sorted(Comparator.reverseOrder())
                    .forEach(path -> path.toFile().delete());
        }
    }
}
