package paperboy.connector;

import com.google.gson.JsonObject;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A server with embedded messaging, as the protocol says: callbacks, messages
 * that are pushed to it, an instance that changes when callbacks are lost.
 */
final class Server implements AutoCloseable {
    static final String TOKEN = "the token of the embedded back end";

    final List<String> requests = new CopyOnWriteArrayList<>();
    final List<String> bodies = new CopyOnWriteArrayList<>(); // of requests
    final List<String> shown = new CopyOnWriteArrayList<>(); // of requests
    final List<String> callbacks = new CopyOnWriteArrayList<>();
    final List<String> pushed = new CopyOnWriteArrayList<>(); // topic, body
    final List<String> keys = new CopyOnWriteArrayList<>(); // of these
    final String url;
    volatile String instance = "one";
    volatile int status = 200;
    volatile String says = "done";
    volatile CountDownLatch gate = new CountDownLatch(0);
    private final HttpServer http =
            HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    private final ExecutorService threads = Executors.newCachedThreadPool();

    Server() throws IOException {
        http.setExecutor(threads);
        http.createContext("/", this::serve);
        http.start();
        url = "http://127.0.0.1:" + http.getAddress().getPort();
    }

    private void serve(HttpExchange call) throws IOException {
        String body = new String(
                call.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        String path = call.getRequestURI().getPath();
        bodies.add(body);
        shown.add(String.valueOf(call.getRequestHeaders()
                .getFirst("PaperboyEmbeddedBackendToken")));
        requests.add(call.getRequestMethod() + " " + path);
        try {
            gate.await();
        } catch (InterruptedException error) {
            return;
        }
        String said = path.equals("/instance") && status == 200
                ? instance : says;
        if (status == 200 && path.startsWith("/subscribeTopic/")) {
            JsonObject told = Json.read(body);
            callbacks.add("http://" + Json.text(told, "restHostname") + ":"
                    + told.get("restPort").getAsInt()
                    + Json.text(told, "restPath"));
        }
        if (path.startsWith("/pushMessage/")) {
            pushed.add(path.split("/")[2] + " " + body);
            keys.add(String.valueOf(
                    call.getRequestHeaders().getFirst("Idempotency-Key")));
        }
        byte[] answer = said.getBytes(StandardCharsets.UTF_8);
        call.getResponseHeaders().set("Location", "/elsewhere");
        call.sendResponseHeaders(status, answer.length);
        call.getResponseBody().write(answer);
        call.close();
    }

    /** Calls the callbacks; their answers. */
    List<String> push(String message) throws Exception {
        List<String> answers = new ArrayList<>();
        for (String callback : callbacks) {
            answers.add(ask("POST", callback, message, TOKEN));
        }
        return answers;
    }

    static String ask(String method, String url, String body, String token)
            throws Exception {
        HttpResponse<String> answer = HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(URI.create(url))
                        .method(method, BodyPublishers.ofString(body))
                        .header("PaperboyEmbeddedBackendToken", token)
                        .build(),
                BodyHandlers.ofString());
        return answer.statusCode() + " " + answer.body().trim();
    }

    @Override
    public void close() {
        gate.countDown();
        http.stop(0);
        threads.shutdownNow();
    }
}
