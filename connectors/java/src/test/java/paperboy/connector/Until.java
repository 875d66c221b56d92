package paperboy.connector;

import java.net.ServerSocket;
import java.util.concurrent.Callable;

/** Waiting, and ports. */
final class Until {
    static final String SECRET = "a secret of the tests, not of yours";

    private Until() {}

    /** Waits until the look answers true. */
    static void until(String what, Callable<Boolean> look) throws Exception {
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (!look.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited in vain for " + what);
            }
            Thread.sleep(5);
        }
    }

    static int freePort() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
