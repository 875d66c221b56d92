package paperboy.connector;

import com.google.gson.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Asks servers, and shows them our token. Blocks; may be interrupted. */
final class EmbeddedClient {
    static final String HEADER = "PaperboyEmbeddedBackendToken";

    private static final int MAX_ANSWER = 1024; // bytes

    private final String token;
    private final Duration timeout;
    // Nobody elsewhere, and no proxy of the machine's, gets our token.
    private final HttpClient http;

    EmbeddedClient(String token, Duration timeout) {
        this.token = token;
        this.timeout = timeout;
        http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .proxy(ProxySelector.of(null))
                .connectTimeout(timeout)
                .build();
    }

    String get(String url) throws IOException {
        return ask(HttpRequest.newBuilder(URI.create(url)).GET());
    }

    String post(String url, byte[] body) throws IOException {
        return ask(posted(url, body));
    }

    /** Servers that share their channels publish what has the same key once. */
    String postOnce(String url, byte[] body, String key) throws IOException {
        return ask(posted(url, body).header("Idempotency-Key", key));
    }

    private static HttpRequest.Builder posted(String url, byte[] body) {
        return HttpRequest.newBuilder(URI.create(url))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofByteArray(body));
    }

    private String ask(HttpRequest.Builder request) throws IOException {
        CompletableFuture<HttpResponse<String>> asked = http.sendAsync(
                request.header(HEADER, token).timeout(timeout).build(),
                head -> new Answer());
        try {
            // The client's own timeout ends where an answer begins.
            HttpResponse<String> answer =
                    asked.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            if (answer.statusCode() != 200) {
                throw new IOException("it answered " + answer.statusCode()
                        + why(answer.body()));
            }
            return answer.body();
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", error);
        } catch (TimeoutException error) {
            throw new IOException("no answer in time", error);
        } catch (ExecutionException error) {
            throw new IOException(words(error.getCause()), error.getCause());
        } finally {
            asked.cancel(true);
        }
    }

    /** A server may say why it refuses, in JSON. */
    private static String why(String said) {
        JsonObject object = Json.read(said);
        String why = object == null ? null : Json.text(object, "message");
        if (why == null) return "";
        return ": " + why.substring(0, Math.min(why.length(), 200))
                .replaceAll("[^ -~]", "?");
    }

    /** Many of Java's errors of connections have no message. */
    static String words(Throwable error) {
        String message = error.getMessage();
        return message == null ? error.getClass().getSimpleName() : message;
    }

    /** The text of an answer, which is a short one. */
    private static final class Answer implements BodySubscriber<String> {
        private final CompletableFuture<String> text =
                new CompletableFuture<>();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private Flow.Subscription subscription;

        @Override
        public CompletionStage<String> getBody() {
            return text;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            given.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> parts) {
            for (ByteBuffer part : parts) {
                if (bytes.size() + part.remaining() > MAX_ANSWER) {
                    subscription.cancel();
                    onError(new IOException("its answer is too long"));
                    return;
                }
                byte[] more = new byte[part.remaining()];
                part.get(more);
                bytes.writeBytes(more);
            }
        }

        @Override
        public void onError(Throwable error) {
            text.completeExceptionally(error);
        }

        @Override
        public void onComplete() {
            text.complete(bytes.toString(StandardCharsets.UTF_8));
        }
    }
}
