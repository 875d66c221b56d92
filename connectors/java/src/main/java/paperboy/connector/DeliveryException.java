package paperboy.connector;

/** A message that no server took. It may be sent again. */
public final class DeliveryException extends RuntimeException {
    private static final long serialVersionUID = 1;

    DeliveryException(String message) {
        super(message);
    }

    DeliveryException(String message, Throwable cause) {
        super(message, cause);
    }
}
