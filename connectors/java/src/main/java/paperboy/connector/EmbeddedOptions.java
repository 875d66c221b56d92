package paperboy.connector;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Where servers with embedded messaging are, and where they find us. */
public final class EmbeddedOptions {
    private static final Duration SHORTEST = Duration.ofMillis(100);
    private static final Duration LONGEST = Duration.ofHours(1);

    final List<String> servers;
    String token;
    String host = "0.0.0.0";
    int port = 8080;
    String callbackHost;
    int callbackPort;
    Duration interval = Duration.ofSeconds(2);
    Duration timeout = Duration.ofSeconds(5);
    int maxQueue = 1000;

    private EmbeddedOptions(List<String> servers) {
        this.servers = servers;
    }

    /** All servers, each http://HOST:PORT or https://HOST:PORT. */
    public static EmbeddedOptions of(List<String> servers) {
        if (servers == null || servers.isEmpty() || servers.size() > 100) {
            throw Check.wrong("servers", "1 to 100 addresses are expected");
        }
        List<String> all = new ArrayList<>();
        for (String address : servers) {
            if (!isServer(address)) {
                throw Check.wrong("servers",
                        "an address is http://HOST:PORT or https://HOST:PORT");
            }
            all.add(address.replaceFirst("/$", ""));
        }
        return new EmbeddedOptions(List.copyOf(all));
    }

    private static boolean isServer(String address) {
        try {
            URI uri = URI.create(address);
            return uri.getHost() != null
                    && List.of("http", "https").contains(uri.getScheme());
        } catch (IllegalArgumentException | NullPointerException error) {
            return false;
        }
    }

    /** What both sides show; else PAPERBOY_EMBEDDED_BACKEND_TOKEN. */
    public EmbeddedOptions token(String token) {
        this.token = token;
        return this;
    }

    /** Where requests are listened for: 0.0.0.0 and 8080; 0: a free port. */
    public EmbeddedOptions listen(String host, int port) {
        this.host = Check.given("host", host);
        this.port = Check.integer("port", port, 0, 65535);
        return this;
    }

    /** What servers call: this machine's name, the port listened on. */
    public EmbeddedOptions callback(String host, int port) {
        this.callbackHost = Check.given("callbackHost", host);
        this.callbackPort = Check.integer("callbackPort", port, 1, 65535);
        return this;
    }

    /** What servers call: this name, and the port listened on. */
    public EmbeddedOptions callback(String host) {
        this.callbackHost = Check.given("callbackHost", host);
        this.callbackPort = 0;
        return this;
    }

    /** Between two questions for a server's instance: 2 s. */
    public EmbeddedOptions interval(Duration interval) {
        this.interval = Check.duration("interval", interval, SHORTEST, LONGEST);
        return this;
    }

    /** For an answer: 5 s. */
    public EmbeddedOptions timeout(Duration timeout) {
        this.timeout = Check.duration("timeout", timeout, SHORTEST, LONGEST);
        return this;
    }

    /** Requests that may wait: 1000. */
    public EmbeddedOptions maxQueue(int maxQueue) {
        this.maxQueue = Check.integer("maxQueue", maxQueue, 1, 1_000_000);
        return this;
    }

    String checkedToken() {
        String text = Check.secret(
                "token", token, "PAPERBOY_EMBEDDED_BACKEND_TOKEN");
        if (!text.matches("[!-~]([ -~]*[!-~])?")) {
            throw Check.wrong("token", "it can't stand in a header");
        }
        return text;
    }

    String checkedCallbackHost() {
        if (callbackHost != null) return callbackHost;
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException error) {
            throw Check.wrong("callbackHost",
                    "it is missing, and this machine has no name");
        }
    }
}
