package org.backplane.shell;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.kvm.spi.device.DisplaySource.Frame;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** A machine's screen and keyboard. */
@Component(
        service = ScreenCommands.class,
        property = {
            "osgi.command.scope=vm",
            "osgi.command.function=screen",
            "osgi.command.function=keys",
            "osgi.command.function=type"
        })
public final class ScreenCommands {
    private static final String SCREEN = "[MACHINE] [FILE.png]";
    private static final String KEYS = "[MACHINE] KEY…";
    private static final String TYPE = "[MACHINE] TEXT";

    private final MachineDirectory directory;

    @Activate
    public ScreenCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Descriptor("prints the text on the screen, or writes the screen as a picture")
    public void screen(CommandSession session, @Descriptor(SCREEN) String[] args) {
        Arguments a = new Arguments("vm:screen", SCREEN, args);
        Machine m = directory.machine(session, a, 0);
        if (a.left() == 0) {
            print(m);
            return;
        }
        String file = a.take();
        a.end();
        if (!file.toLowerCase(Locale.ROOT).endsWith(".png")) {
            throw new CommandException("'" + file + "' is neither a machine nor the name of a .png file");
        }
        picture(m, SessionFiles.resolve(session, file));
    }

    private static void print(Machine m) {
        List<String> rows = m.screenText();
        if (rows.isEmpty()) {
            throw new CommandException(m.screen()
                    .map(f -> "the screen is in a graphics mode (" + f.width() + " by " + f.height() + "): vm:screen FILE.png makes a picture of it")
                    .orElse(m.name() + " has no screen"));
        }
        int last = rows.size();
        while (last > 0 && rows.get(last - 1).isBlank()) last--;
        if (last == 0) System.out.println("(the screen is blank)");
        rows.subList(0, last).forEach(r -> System.out.println(r.stripTrailing()));
    }

    private static void picture(Machine m, Path file) {
        Frame f = m.screen().orElseThrow(() -> new CommandException(m.name() + " has no screen"));
        BufferedImage image = new BufferedImage(f.width(), f.height(), BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, f.width(), f.height(), f.pixels(), 0, f.width());
        try (OutputStream out = Files.newOutputStream(file)) {
            ImageIO.setUseCache(false);
            ImageIO.write(image, "png", out);
        } catch (NoSuchFileException e) {
            throw new CommandException("cannot write " + file + ": there is no such directory", e);
        } catch (IOException e) {
            throw new CommandException("cannot write " + file + ": " + e.getMessage(), e);
        }
        System.out.println(file + ": " + f.width() + " by " + f.height());
    }

    @Descriptor("presses and releases keys, named as in QEMU: a, ret, f1, shift-a, ctrl-alt-delete")
    public void keys(CommandSession session, @Descriptor(KEYS) String[] args) {
        Arguments a = new Arguments("vm:keys", KEYS, args);
        Machine m = directory.machine(session, a, 1);
        if (a.left() == 0) throw a.usage();
        try {
            m.sendKeys(List.of(a.rest()));
        } catch (BoardException e) {
            throw new CommandException(e.getMessage(), e);
        }
    }

    @Descriptor("types text on the keyboard (US layout); \\n is the enter key, \\t the tabulator")
    public void type(CommandSession session, @Descriptor(TYPE) String[] args) {
        Arguments a = new Arguments("vm:type", TYPE, args);
        Machine m = directory.machine(session, a, 1);
        String text = new String(ConsoleCommands.unescape(a.take()), StandardCharsets.UTF_8).replace('\r', '\n');
        a.end();
        try {
            m.type(text);
        } catch (BoardException e) {
            throw new CommandException(e.getMessage(), e);
        }
    }
}
