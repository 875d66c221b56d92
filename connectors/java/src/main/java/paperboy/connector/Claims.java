package paperboy.connector;

/** Who a token is for. */
public final class Claims {
    private final String userId;
    private final String channel;

    Claims(String userId, String channel) {
        this.userId = userId;
        this.channel = channel;
    }

    public String userId() {
        return userId;
    }

    /** Null: for the user's own messages alone. */
    public String channel() {
        return channel;
    }
}
