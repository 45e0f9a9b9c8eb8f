// SPDX-License-Identifier: Apache-2.0
package org.backplane.launcher;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What the command line asks for.
 *
 * @param mode what to do
 * @param text the Gogo commands, the script's file name or the command's name, as the mode has it; else empty
 * @param arguments what follows: the script's or the command's arguments, untouched
 * @param data where to keep history, log and scratch files, or null for the usual places
 * @param timing whether to report how long starting took
 */
record Request(Mode mode, String text, List<String> arguments, Path data, boolean timing) {

    enum Mode {
        /** The shell. */
        INTERACTIVE("interactive"),
        /** {@code -c COMMANDS}. */
        COMMANDS("batch"),
        /** {@code -f SCRIPT}. */
        SCRIPT("batch"),
        /** {@code NAME …}: a command found in the service registry. */
        COMMAND("run"),
        HELP(""),
        VERSION("");

        /** Names the list of bundles to leave out, {@code etc/NAME.exclude}; empty if no container is needed. */
        final String profile;

        Mode(String profile) {
            this.profile = profile;
        }
    }

    /** A command line that makes no sense; the message is the line for the user. */
    static final class BadUsage extends Exception {
        private static final long serialVersionUID = 1;

        BadUsage(String message) {
            super(message);
        }
    }

    static Request parse(String... args) throws BadUsage {
        Path data = null;
        boolean timing = false;
        for (int i = 0; i < args.length; i++) {
            String arg = args[i];
            List<String> rest = Arrays.asList(args).subList(i + 1, args.length);
            switch (arg) {
                case "--data" -> {
                    data = Path.of(first(rest, "--data needs a directory")).toAbsolutePath().normalize();
                    i++;
                }
                case "--timing" -> timing = true;
                case "-c" -> {
                    String commands = first(rest, "-c needs commands");
                    if (rest.size() > 1) {
                        throw new BadUsage("-c takes one argument, quote the commands: " + rest.get(1));
                    }
                    return new Request(Mode.COMMANDS, commands, List.of(), data, timing);
                }
                case "-f" -> {
                    String script = first(rest, "-f needs a file, or - for standard input");
                    return new Request(Mode.SCRIPT, script, tail(rest), data, timing);
                }
                case "help", "-h", "-?", "--help" -> {
                    return new Request(Mode.HELP, "", List.of(), data, timing);
                }
                case "version", "--version" -> {
                    return new Request(Mode.VERSION, "", List.of(), data, timing);
                }
                default -> {
                    if (arg.startsWith("-") || arg.isEmpty()) {
                        throw new BadUsage("unknown option '" + arg + "', see backplane help");
                    }
                    return new Request(Mode.COMMAND, arg, List.copyOf(rest), data, timing);
                }
            }
        }
        return new Request(Mode.INTERACTIVE, "", List.of(), data, timing);
    }

    private static String first(List<String> rest, String otherwise) throws BadUsage {
        if (rest.isEmpty()) {
            throw new BadUsage(otherwise);
        }
        return rest.getFirst();
    }

    private static List<String> tail(List<String> list) {
        return new ArrayList<>(list.subList(1, list.size()));
    }
}
