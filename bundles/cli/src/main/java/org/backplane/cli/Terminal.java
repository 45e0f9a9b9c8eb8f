package org.backplane.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The terminal that standard input is, if it is one: character by character and without echo while a guest uses it, as it was afterwards. Done by
 * {@code stty}, so without native code; where there is no stty, or no terminal, nothing happens.
 */
final class Terminal implements AutoCloseable {
    private final String saved;
    private final Thread hook;

    private Terminal(String saved) {
        this.saved = saved;
        hook = new Thread(() -> stty(saved));
    }

    /**
     * Takes the terminal over; it is restored by {@link #close}, and on every other way out of the JVM.
     *
     * @param signals Ctrl-C still ends the process
     */
    static Terminal raw(boolean signals) {
        String saved = stty("-g");
        if (saved == null || saved.isBlank()) return new Terminal(null);
        Terminal t = new Terminal(saved.strip());
        Runtime.getRuntime().addShutdownHook(t.hook);
        stty("-icanon", "-echo", "-icrnl", "-ixon", signals ? "isig" : "-isig");
        return t;
    }

    boolean present() {
        return saved != null;
    }

    @Override
    public void close() {
        if (saved == null) return;
        stty(saved);
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is on its way out and the hook runs anyway.
        }
    }

    /** Runs stty on standard input; null if that fails. */
    private static String stty(String... arguments) {
        List<String> command = new ArrayList<>(List.of("stty"));
        command.addAll(List.of(arguments));
        try {
            Process p = new ProcessBuilder(command)
                    .redirectInput(ProcessBuilder.Redirect.INHERIT)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
            return p.waitFor() == 0 ? out : null;
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
