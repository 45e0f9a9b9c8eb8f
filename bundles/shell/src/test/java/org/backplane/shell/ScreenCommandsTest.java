package org.backplane.shell;

import static org.backplane.shell.FakeSession.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.apache.felix.service.command.CommandSession;
import org.backplane.kvm.spi.device.DisplaySource.Frame;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScreenCommandsTest {
    @TempDir
    Path files;

    private final MachineDirectory directory = new MachineDirectory(new FakeMachines());
    private final ScreenCommands screen = new ScreenCommands(directory);
    private CommandSession session;
    private FakeMachine machine;

    @BeforeEach
    void create() {
        session = FakeSession.in(files);
        machine = (FakeMachine) directory.create(session, "a", Map.of());
    }

    private String failure(FakeSession.Command c) {
        return assertThrows(CommandException.class, () -> output(c)).toString();
    }

    @Test
    void textLosesTrailingBlanksAndBlankRowsAtTheEnd() {
        machine.screen = List.of("", "one  ", " two", "   ");
        assertEquals("\none\n two\n", output(() -> screen.screen(session, new String[0])));
        machine.screen = List.of("  ", "");
        assertEquals("(the screen is blank)\n", output(() -> screen.screen(session, new String[0])));
    }

    @Test
    void aPictureHasTheColoursOfTheScreen() throws Exception {
        machine.frame = new Frame(2, 1, new int[] {0xff0000, 0x0000ff});
        String text = output(() -> screen.screen(session, new String[] {"a", "x.png"}));
        assertEquals(files.resolve("x.png") + ": 2 by 1\n", text);
        BufferedImage read = ImageIO.read(files.resolve("x.png").toFile());
        assertEquals(0xffff0000, read.getRGB(0, 0));
        assertEquals(0xff0000ff, read.getRGB(1, 0));
    }

    @Test
    void whatCannotBeShownIsAClearLine() {
        assertEquals("a has no screen", failure(() -> screen.screen(session, new String[0])));
        machine.frame = new Frame(640, 480, new int[640 * 480]);
        assertTrue(failure(() -> screen.screen(session, new String[0])).startsWith("the screen is in a graphics mode (640 by 480)"));
        assertTrue(failure(() -> screen.screen(session, new String[] {"no/x.png"})).endsWith("there is no such directory"));
        assertEquals("'x' is neither a machine nor the name of a .png file", failure(() -> screen.screen(session, new String[] {"x"})));
    }

    @Test
    void keysAndTextGoToTheKeyboard() {
        screen.keys(session, new String[] {"a", "ctrl-alt-delete"});
        screen.keys(session, new String[] {"ret", "esc"});
        screen.type(session, new String[] {"dir\\r"});
        // One argument is the key, though a machine has that name.
        screen.keys(session, new String[] {"a"});
        assertEquals(List.of("keys [ctrl-alt-delete]", "keys [ret, esc]", "type dir\n", "keys [a]"), machine.calls);
        assertEquals("usage: vm:keys [MACHINE] KEY…", failure(() -> screen.keys(session, new String[0])));
    }
}
