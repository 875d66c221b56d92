package paperboy.connector;

/**
 * What the application says of subscriptions. Both are called on the
 * connector's threads, several at once; what they throw is logged, and ends
 * nothing. {@code channel} is null for a user's own messages alone.
 */
public interface PaperboyCallbackHandler {
    /** Whether the user may listen to the channel. */
    boolean hasAccess(String userId, String channel) throws Exception;

    /** The user listens now: the time to send a first message. */
    default void onSubscription(String userId, String channel)
            throws Exception {}
}
