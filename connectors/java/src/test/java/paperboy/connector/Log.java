package paperboy.connector;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.text.MessageFormat;
import java.util.List;
import java.util.ResourceBundle;
import java.util.concurrent.CopyOnWriteArrayList;

/** A logger that keeps what it is told. */
final class Log implements System.Logger {
    final List<String> lines = new CopyOnWriteArrayList<>();

    boolean has(Level level, String... words) {
        return lines.stream().anyMatch(line ->
                line.startsWith(level + " ")
                        && List.of(words).stream().allMatch(line::contains));
    }

    long count(Level level) {
        return lines.stream()
                .filter(line -> line.startsWith(level + " ")).count();
    }

    String text() {
        return String.join("\n", lines);
    }

    @Override
    public String getName() {
        return "test";
    }

    @Override
    public boolean isLoggable(Level level) {
        return true;
    }

    @Override
    public void log(
            Level level, ResourceBundle bundle, String text, Throwable error) {
        StringWriter trace = new StringWriter();
        if (error != null) error.printStackTrace(new PrintWriter(trace));
        lines.add(level + " " + text + " " + trace);
    }

    @Override
    public void log(
            Level level, ResourceBundle bundle, String text, Object... more) {
        lines.add(level + " " + (more == null || more.length == 0
                ? text : MessageFormat.format(text, more)));
    }
}
