package paperboy.connector;

import java.io.IOException;

/** What requests come by and messages go by. For any thread. */
interface Messaging {
    String REQUEST = "paperboy-subscription-request";
    String AUTHORIZED = "paperboy-subscription-authorized";
    String CLOSE = "paperboy-subscription-close";
    String MESSAGE = "paperboy-message";

    /** Bytes; a request is an id and a token: there are no larger ones. */
    int MAX_REQUEST = 16 * 1024;

    /** Connects, or begins to: it goes on by itself. */
    void start() throws IOException;

    /**
     * The next request, or null: none so far. Never throws anything else, never
     * waits for long.
     */
    byte[] take() throws InterruptedException;

    /** How many servers took it; throws DeliveryException. */
    long publish(String topic, byte[] message);

    void close();
}
