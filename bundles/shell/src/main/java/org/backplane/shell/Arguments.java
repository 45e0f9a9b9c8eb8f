package org.backplane.shell;

import java.util.Arrays;
import java.util.Optional;

/** The arguments of one call of a command, taken from left to right. */
final class Arguments {
    private final String command;
    private final String syntax;
    private final String[] values;
    private int next;

    /**
     * @param command with its scope, for messages
     * @param syntax as in {@link Syntax}
     */
    Arguments(String command, String syntax, String[] values) {
        this.command = command;
        this.syntax = syntax;
        this.values = values;
    }

    /** How many are left. */
    int left() {
        return values.length - next;
    }

    /** The next one without taking it; empty text at the end. */
    String peek() {
        return next < values.length ? values[next] : "";
    }

    /** The next one, which must be there. */
    String take() {
        if (next == values.length) throw usage();
        return values[next++];
    }

    Optional<String> takeIfAny() {
        return next == values.length ? Optional.empty() : Optional.of(take());
    }

    /** Takes the next one if it is this word. */
    boolean takeWord(String word) {
        if (!peek().equals(word)) return false;
        next++;
        return true;
    }

    /** All that are left. */
    String[] rest() {
        String[] rest = Arrays.copyOfRange(values, next, values.length);
        next = values.length;
        return rest;
    }

    /** Nothing may be left. */
    void end() {
        if (left() > 0) throw usage();
    }

    /** A number of seconds, more than 0. */
    static double seconds(String text) {
        try {
            double s = Double.parseDouble(text);
            if (s > 0) return s;
        } catch (NumberFormatException e) {
            // Falls through to the one message for what is no number and what is no time.
        }
        throw new CommandException("'" + text + "' is no number of seconds");
    }

    /** A count, decimal or with 0x, from 1 to a limit. */
    static int count(String text, int limit) {
        try {
            long n = Long.decode(text);
            if (n >= 1 && n <= limit) return (int) n;
        } catch (NumberFormatException e) {
            // Falls through.
        }
        throw new CommandException("'" + text + "' is no number from 1 to " + limit);
    }

    CommandException usage() {
        return new CommandException("usage: " + command + (syntax.isEmpty() ? "" : " " + syntax));
    }
}
