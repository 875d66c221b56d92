package paperboy.connector;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** What is wrong with an argument is told at once, and in words. */
final class Check {
    private static final int MAX_NAME = 255; // bytes

    private Check() {}

    /** A name of a user or a channel. */
    static String name(String what, String value) {
        if (value == null || value.isEmpty()) {
            throw wrong(what, "a text is expected");
        }
        if (!isUnicode(value)) throw wrong(what, "it is no Unicode");
        if (value.getBytes(StandardCharsets.UTF_8).length > MAX_NAME) {
            throw wrong(what, "more than " + MAX_NAME + " bytes");
        }
        return value;
    }

    /** False for half a surrogate pair, which has no form in UTF-8. */
    static boolean isUnicode(String value) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(value);
    }

    static int integer(String what, int value, int least, int most) {
        if (value < least || value > most) {
            throw wrong(what, "from " + least + " to " + most + " is expected");
        }
        return value;
    }

    static Duration duration(
            String what, Duration value, Duration least, Duration most) {
        if (value == null
                || value.compareTo(least) < 0
                || value.compareTo(most) > 0) {
            throw wrong(
                    what, "from " + least + " to " + most + " is expected");
        }
        return value;
    }

    static <T> T given(String what, T value) {
        if (value == null) throw wrong(what, "it is missing");
        return value;
    }

    /** A text, from the environment where it isn't given. */
    static String secret(String what, String value, String variable) {
        String text = value == null ? System.getenv(variable) : value;
        if (text == null || text.isBlank()) {
            throw wrong(
                    what,
                    "neither it nor " + variable
                            + " in the environment says anything");
        }
        return text;
    }

    static IllegalArgumentException wrong(String what, String why) {
        return new IllegalArgumentException(what + ": " + why);
    }
}
