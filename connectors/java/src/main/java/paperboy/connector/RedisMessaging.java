package paperboy.connector;

import java.lang.System.Logger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.util.KeyValue;

/**
 * Messaging by Redis. Requests wait in a list, from which BLPOP gives each to
 * one back end; the other topics are published.
 */
final class RedisMessaging implements Messaging {
    private static final double TAKE_FOR = 0.2; // seconds that BLPOP waits
    private static final int SILENCE = 10_000; // ms until a link is given up
    private static final int SENDERS = 8; // connections that publish
    private static final long LONGEST_PAUSE = 2000; // ms between two tries

    private final UnifiedJedis client;
    private final boolean own;
    private final Logger logger;
    private final AtomicInteger failures = new AtomicInteger();
    private final CountDownLatch closed = new CountDownLatch(1);

    /** The client stays the caller's. */
    RedisMessaging(UnifiedJedis client, Logger logger) {
        this.client = client;
        this.own = false;
        this.logger = logger;
    }

    /** {@code takers} is how many threads take requests. */
    RedisMessaging(String address, int takers, Logger logger) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(takers + SENDERS);
        pool.setMaxIdle(takers + SENDERS);
        pool.setMaxWait(Duration.ofMillis(SILENCE));
        try {
            client = RedisClient.builder()
                    .clientConfig(DefaultJedisClientConfig.builder()
                            .connectionTimeoutMillis(5000)
                            .socketTimeoutMillis(SILENCE)
                            .blockingSocketTimeoutMillis(SILENCE)
                            .build())
                    .poolConfig(pool)
                    .fromURI(URI.create(address))
                    .build();
        } catch (RuntimeException error) {
            // What it says may show the password in the address.
            throw Check.wrong("redis", "Jedis refuses the address");
        }
        this.own = true;
        this.logger = logger;
    }

    @Override
    public void start() {
        try {
            client.ping();
        } catch (RuntimeException error) {
            failed(error);
        }
    }

    @Override
    public byte[] take() throws InterruptedException {
        KeyValue<byte[], byte[]> taken;
        try {
            taken = client.blpop(TAKE_FOR, bytes(REQUEST));
        } catch (RuntimeException error) {
            if (closed.getCount() > 0) {
                closed.await(failed(error), TimeUnit.MILLISECONDS);
            }
            return null;
        }
        if (failures.getAndSet(0) > 0) {
            logger.log(Logger.Level.INFO, "Redis gives requests");
        }
        return taken == null ? null : taken.getValue();
    }

    @Override
    public long publish(String topic, byte[] message) {
        if (closed.getCount() == 0) throw new DeliveryException("it is closed");
        try {
            return client.publish(bytes(topic), message);
        } catch (RuntimeException error) {
            throw new DeliveryException(
                    "Redis took no message: " + error.getMessage(), error);
        }
    }

    @Override
    public void close() {
        closed.countDown();
        if (own) client.close();
    }

    // What goes wrong is told once, not at every try; how long to wait then.
    private long failed(RuntimeException error) {
        int count = failures.incrementAndGet();
        if (count == 1) {
            Throwable cause = error.getCause();
            if (cause == null) cause = error;
            logger.log(Logger.Level.ERROR,
                    "Redis gives no requests, trying again: {0}",
                    String.valueOf(cause.getMessage()));
        }
        long longest = Math.min(50L << Math.min(count, 10), LONGEST_PAUSE);
        return ThreadLocalRandom.current().nextLong(longest / 2, longest);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
