package paperboy.connector;

import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Messaging by HTTP, embedded in the servers. Each server posts its requests to
 * a callback that is registered there, and what is sent goes to all servers. A
 * server whose instance has changed has lost its callbacks.
 */
final class EmbeddedMessaging implements Messaging {
    private static final String PATH = "/messageCallback/" + REQUEST;
    private static final long TAKE_FOR = 200; // ms
    private static final int CALLS = 8; // of servers, at once
    private static final int MAX_CALLS = 256; // that wait

    private final EmbeddedOptions options;
    private final Logger logger;
    private final byte[] digest; // of the token that servers show
    private final String callbackHost;
    private final EmbeddedClient client;
    private final BlockingQueue<byte[]> queue;
    private final ExecutorService senders;
    private final ScheduledExecutorService pollers;
    private final ThreadPoolExecutor calls;
    private volatile boolean full;
    private volatile boolean closed;
    private HttpServer http;

    EmbeddedMessaging(EmbeddedOptions options, Logger logger) {
        this.options = options;
        this.logger = logger;
        String token = options.checkedToken();
        digest = digest(token);
        callbackHost = options.checkedCallbackHost();
        client = new EmbeddedClient(token, options.timeout);
        queue = new ArrayBlockingQueue<>(options.maxQueue);
        int servers = options.servers.size();
        senders = Executors.newFixedThreadPool(2 * servers, daemons("send"));
        pollers = Executors.newScheduledThreadPool(
                Math.min(servers, 8), daemons("poll"));
        calls = new ThreadPoolExecutor(
                CALLS, CALLS, 0, TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MAX_CALLS), daemons("callback"));
    }

    @Override
    public void start() throws IOException {
        http = HttpServer.create(
                new InetSocketAddress(options.host, options.port), 0);
        http.createContext("/", this::serve);
        http.setExecutor(calls);
        http.start();
        List<Callable<Object>> first = new ArrayList<>();
        List<Poller> all = new ArrayList<>();
        for (String url : options.servers) {
            Poller poller = new Poller(url);
            all.add(poller);
            first.add(Executors.callable(poller));
        }
        try {
            pollers.invokeAll(first);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
        long interval = options.interval.toMillis();
        for (Poller poller : all) {
            pollers.scheduleWithFixedDelay(
                    poller, interval, interval, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public byte[] take() throws InterruptedException {
        byte[] request = queue.poll(TAKE_FOR, TimeUnit.MILLISECONDS);
        if (request != null) full = false;
        return request;
    }

    @Override
    public long publish(String topic, byte[] message) {
        List<Callable<String>> posts = new ArrayList<>();
        String key = UUID.randomUUID().toString();
        for (String url : options.servers) {
            String to = url + "/pushMessage/" + topic;
            posts.add(() -> client.postOnce(to, message, key));
        }
        int took = 0;
        String why = "it is closed";
        Throwable cause = null;
        try {
            if (closed) throw new DeliveryException(why);
            for (Future<String> post : senders.invokeAll(
                    posts, options.timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                try {
                    post.get();
                    took++;
                } catch (ExecutionException error) {
                    cause = error.getCause();
                    why = cause.getMessage();
                } catch (CancellationException error) {
                    why = "no answer in time";
                }
            }
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            why = "interrupted";
        } catch (RejectedExecutionException error) {
            cause = error;
        }
        if (took > 0) return took;
        throw new DeliveryException("no server took it: " + why, cause);
    }

    @Override
    public void close() {
        closed = true;
        pollers.shutdownNow();
        senders.shutdownNow();
        if (http != null) http.stop(0);
        calls.shutdownNow();
    }

    // --- servers -----------------------------------------------------------

    /** Keeps the callback registered at one server. */
    private final class Poller implements Runnable {
        private final String url;
        private String instance; // where the callback is
        private boolean away; // its trouble was told

        Poller(String url) {
            this.url = url;
        }

        @Override
        public void run() {
            try {
                String now = client.get(url + "/instance");
                if (!now.equals(instance)) {
                    register();
                    instance = now;
                }
            } catch (IOException | RuntimeException error) {
                if (!away && !closed) {
                    logger.log(Level.ERROR, () -> url + " is away: "
                            + EmbeddedClient.words(error));
                }
                away = true;
                return;
            }
            if (away) logger.log(Level.INFO, () -> url + " is there again");
            away = false;
        }

        private void register() throws IOException {
            JsonObject callback = new JsonObject();
            callback.addProperty("restHostname", callbackHost);
            callback.addProperty("restPort", options.callbackPort > 0
                    ? options.callbackPort : http.getAddress().getPort());
            callback.addProperty("restPath", PATH);
            client.post(url + "/subscribeTopic/" + REQUEST,
                    Json.GSON.toJson(callback)
                            .getBytes(StandardCharsets.UTF_8));
        }
    }

    // --- what servers call -------------------------------------------------

    private void serve(HttpExchange call) throws IOException {
        try {
            String shown =
                    call.getRequestHeaders().getFirst(EmbeddedClient.HEADER);
            if (!MessageDigest.isEqual(
                    digest(shown == null ? "" : shown), digest)) {
                answer(call, 401, "its token is wrong\n");
                return;
            }
            if (!call.getRequestMethod().equals("POST")
                    || !call.getRequestURI().getPath().equals(PATH)) {
                answer(call, 404, "there is nothing here\n");
                return;
            }
            InputStream body = call.getRequestBody();
            byte[] request = body.readNBytes(MAX_REQUEST + 1);
            body.transferTo(OutputStream.nullOutputStream());
            add(request);
            // A server forgets whoever answers anything else, and a client must
            // not be able to bring that about.
            answer(call, 200, "done");
        } finally {
            call.close();
        }
    }

    private static void answer(HttpExchange call, int status, String text)
            throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        call.getResponseHeaders().set("Content-Type", "text/plain");
        call.sendResponseHeaders(status, body.length);
        call.getResponseBody().write(body);
    }

    private void add(byte[] request) {
        if (request.length > MAX_REQUEST) {
            logger.log(Level.WARNING,
                    "a request that is too large was dropped");
        } else if (!queue.offer(request) && !full) {
            full = true;
            logger.log(Level.WARNING,
                    "too many requests wait; more are dropped");
        }
    }

    // Equally long, whatever was shown.
    private static byte[] digest(String text) {
        try {
            return MessageDigest.getInstance("SHA-256")
                    .digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException(error); // every Java has it
        }
    }

    private static ThreadFactory daemons(String what) {
        return work -> {
            Thread thread = new Thread(work, "paperboy-" + what);
            thread.setDaemon(true);
            return thread;
        };
    }
}
