package org.backplane.shell;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The arguments of one call of a command, taken from left to right. */
final class Arguments {
    private final String command;
    private final String syntax;
    private String[] values;
    private int next;

    /**
     * @param command with its scope, for messages
     * @param syntax as in {@link Syntax}
     */
    Arguments(String command, String syntax, String[] values) {
        this.command = command;
        this.syntax = syntax;
        this.values = words(values);
    }

    /** What was typed: Gogo takes the word {@code null}, which is a back end's name, for the reference. */
    static String[] words(String[] values) {
        return Arrays.stream(values).map(String::valueOf).toArray(String[]::new);
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

    /** Takes an option wherever it stands among those that are left. */
    boolean flag(String name) {
        for (int i = next; i < values.length; i++) {
            if (!values[i].equals(name)) continue;
            remove(i, 1);
            return true;
        }
        return false;
    }

    /** Takes an option with its value, wherever it stands. */
    Optional<String> option(String name) {
        for (int i = next; i < values.length; i++) {
            if (!values[i].equals(name)) continue;
            if (i + 1 == values.length) throw new CommandException(command + ": " + name + " needs a value");
            String value = values[i + 1];
            remove(i, 2);
            return Optional.of(value);
        }
        return Optional.empty();
    }

    private void remove(int from, int count) {
        List<String> left = new ArrayList<>(List.of(values));
        left.subList(from, from + count).clear();
        values = left.toArray(String[]::new);
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

    /**
     * A number, decimal or with 0x; up to 64 bits with 0x.
     *
     * @throws NumberFormatException if it is none
     */
    static long number(String text) {
        return text.startsWith("0x") ? Long.parseUnsignedLong(text.substring(2), 16) : Long.parseUnsignedLong(text);
    }

    /** The same for a command that says what the number should be. */
    static long number(String text, String what) {
        try {
            return number(text);
        } catch (NumberFormatException e) {
            throw new CommandException("'" + text + "' is no " + what + " (a number, decimal or with 0x)");
        }
    }

    CommandException usage() {
        return new CommandException(Wrap.hanging("usage: " + command + " ", syntax).stripTrailing());
    }
}
