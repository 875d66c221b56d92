package paperboy.connector;

/** A token that lets nobody in. It says why, and holds nothing of it. */
public final class TokenException extends Exception {
    private static final long serialVersionUID = 1;

    TokenException(String message) {
        super(message);
    }
}
