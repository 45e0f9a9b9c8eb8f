package org.backplane.itests.support;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;

/**
 * A page of documentation whose commands are executed. A fenced block with the language {@code backplane TAG} has commands in the lines that begin with {@code >};
 * its other lines show people what one run printed. A comment {@code <!-- expect} behind it has regular expressions, one a line: each must be found in a line of
 * what the block's commands print, in their order.
 */
public final class ShellPage {
    private static final Pattern BLOCK =
            Pattern.compile("^```backplane (\\w+)\\n(.*?)^```\\n(?:<!-- expect\\n(.*?)^-->)?", Pattern.DOTALL | Pattern.MULTILINE);

    private final List<Block> blocks = new ArrayList<>();

    private record Block(String tag, List<String> commands, List<String> patterns) {}

    public ShellPage(Path file) throws IOException {
        Matcher m = BLOCK.matcher(Files.readString(file));
        while (m.find()) {
            List<String> commands = m.group(2).lines().filter(l -> l.startsWith("> ")).map(l -> l.substring(2)).toList();
            blocks.add(new Block(m.group(1), commands, m.group(3) == null ? List.of() : m.group(3).lines().toList()));
        }
    }

    /**
     * Executes the blocks of a tag in their order, in one session of the shell.
     *
     * @param edit applied to every command, for paths that are elsewhere in a test
     * @param transcript where commands and all they printed are kept, for people
     * @return how many commands were executed
     * @throws AssertionError when a command fails or a pattern is not found
     */
    public int run(String tag, UnaryOperator<String> edit, Path transcript) throws IOException {
        StringBuilder all = new StringBuilder();
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        int count = 0;
        try (CommandSession session = Osgi.service(CommandProcessor.class).createSession(new ByteArrayInputStream(new byte[0]), out, out)) {
            for (Block b : blocks) {
                if (!b.tag().equals(tag)) continue;
                StringBuilder said = new StringBuilder();
                for (String command : b.commands()) {
                    String edited = edit.apply(command);
                    all.append("> ").append(edited).append('\n');
                    printed.reset();
                    execute(session, edited, said);
                    String output = printed.toString(StandardCharsets.UTF_8).replace("\r", "");
                    said.append(output);
                    all.append(output);
                    count++;
                }
                find(b.patterns(), said.toString());
            }
        } finally {
            Files.createDirectories(transcript.getParent());
            Files.writeString(transcript, all);
        }
        return count;
    }

    private static void execute(CommandSession session, String command, StringBuilder said) {
        try {
            session.execute(command);
        } catch (Exception e) {
            throw new AssertionError("'" + command + "' failed: " + e + "; before it:\n" + said, e);
        }
    }

    private static void find(List<String> patterns, String text) {
        List<String> lines = text.lines().toList();
        int at = 0;
        for (String pattern : patterns) {
            Pattern p = Pattern.compile(pattern);
            while (at < lines.size() && !p.matcher(lines.get(at)).find()) at++;
            if (at == lines.size()) throw new AssertionError("no line (in this place) has " + pattern + "\n" + text);
            at++;
        }
    }
}
