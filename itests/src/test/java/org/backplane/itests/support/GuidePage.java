package org.backplane.itests.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * A page of documentation that a reader works through: its fenced blocks in their order. Blocks with the language {@code sh} are for a terminal, the
 * lines of {@code backplane} blocks that begin with {@code >} for Backplane's shell; blocks in other languages are only read.
 */
public final class GuidePage {
    private static final Pattern BLOCK = Pattern.compile("^```(sh|backplane)\\n(.*?)^```\\n", Pattern.DOTALL | Pattern.MULTILINE);

    private GuidePage() {}

    /** A block; {@code shell} says that it is for Backplane's shell. */
    public record Block(boolean shell, String text) {
        /** The commands for Backplane's shell. */
        public List<String> commands() {
            return text.lines().filter(l -> l.startsWith("> ")).map(l -> l.substring(2)).toList();
        }
    }

    public static List<Block> blocks(Path page) throws IOException {
        return BLOCK.matcher(Files.readString(page)).results().map(GuidePage::block).toList();
    }

    private static Block block(MatchResult m) {
        return new Block(m.group(1).equals("backplane"), m.group(2));
    }
}
