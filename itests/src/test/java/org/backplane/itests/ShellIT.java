package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.NumbersGuest;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.OtherVersion;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shell commands, as text in and text out. */
@InContainer
class ShellIT {
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private CommandSession session;

    @BeforeEach
    void openSession() {
        CommandProcessor processor = Osgi.service(CommandProcessor.class);
        Osgi.await("the shell's commands", () -> Osgi.context().getServiceReferences((String) null, "(osgi.command.scope=vm)") != null);
        PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        session = processor.createSession(new ByteArrayInputStream(new byte[0]), out, out);
    }

    @AfterEach
    void closeSession() {
        session.close();
        for (Machine m : Osgi.service(Machines.class).list()) m.stop();
    }

    private String run(String command) throws Exception {
        printed.reset();
        session.execute(command);
        return printed.toString(StandardCharsets.UTF_8);
    }

    private static void assertLine(String regex, String text) {
        assertTrue(text.lines().anyMatch(l -> l.matches(regex)), () -> "no line " + regex + " in:\n" + text);
    }

    @Test
    void withoutMachinesTheListSaysWhatToDo() throws Exception {
        assertTrue(run("vm:list").contains("no machines; vm:demo"), printed::toString);
    }

    @Test
    void theDemonstrationGuestIsOneCommandAway() throws Exception {
        assertEquals("demo is running\n", run("vm:demo"));
        assertLine("\\*? *demo +running.*builtin:demo.*", run("vm:list"));
        Osgi.await("its screen", () -> run("vm:screen").contains("B A C K P L A N E"));
        assertEquals("demo is paused\n", run("vm:pause"));
        assertLine("\\*? *demo +paused.*", run("vm:list"));
        assertEquals("demo is running\n", run("vm:resume"));
        assertEquals("demo is ended\n", run("vm:stop"));
        assertEquals(List.of(), Osgi.service(Machines.class).list());
    }

    @Test
    void cardsAreListedSwappedAndPlugged(@TempDir Path directory) throws Exception {
        Path jar = directory.resolve("serial-0.2.0.jar");
        OtherVersion.write(Osgi.bundle("org.backplane.dev-serial"), "0.2.0", jar);
        try (NumbersGuest guest = NumbersGuest.start("numbers")) {
            assertLine("com1 +device +serial +0\\.1\\.0 +active +org\\.backplane\\.dev-serial.*3f8-3ff.*irq 4.*", run("card:list"));
            assertLine("mmu +mmu +direct +0\\.1\\.0 +active.*", printed.toString());

            String swapped = run("card:swap com1 '" + jar + "'");
            assertTrue(swapped.contains("0.1.0") && swapped.contains("0.2.0"), swapped);
            assertLine("com1 +device +serial +0\\.2\\.0 +active +org\\.backplane\\.dev-serial\\.other.*", run("card:list"));
            guest.proveAllCardsWork();
            run("card:swap com1 serial@0.1.0");
            assertLine("com1 +device +serial +0\\.1\\.0 +active.*", run("card:list"));

            run("card:plug serial,regs=0x238,irq=5 com5");
            assertLine("com5 +device +serial +0\\.2\\.0 +active .*238-23f.*", run("card:list"));
            run("card:unplug com5");
            assertFalse(run("card:list").contains("com5"));
            run("card:swap mmu shadow");
            assertLine("mmu +mmu +shadow +0\\.1\\.0 +active.*", run("card:list"));
            guest.proveAllCardsWork();
            guest.verifyEverything();
        } finally {
            Osgi.bundle("org.backplane.dev-serial.other").uninstall();
        }
    }

    @Test
    void aMachineCanBeLookedInto() throws Exception {
        try (NumbersGuest guest = NumbersGuest.start("numbers")) {
            guest.machine().pause();
            // The first instruction of the guest, CLI, behind the multiboot header.
            assertTrue(run("mem:xp 0x100000").contains("02 b0 ad 1b") || printed.toString().contains("1badb002"), printed::toString);
            assertTrue(run("cpu:regs").toLowerCase().contains("ip="), printed::toString);
            assertLine(".*IO.*\\d+.*", run("exit:list"));
            assertTrue(run("mmu:walk 0xb8000").contains("000b8000"), printed::toString);
        }
    }

    @Test
    void aMistakeIsOneSentence() {
        Exception e = assertThrows(Exception.class, () -> run("vm:stop nosuchmachine"));
        assertTrue(e.getMessage().contains("nosuchmachine") && !e.getMessage().contains("\n"), e::toString);
        e = assertThrows(Exception.class, () -> run("vm:create x -nosuchoption 1"));
        assertTrue(e.getMessage().contains("nosuchoption"), e::toString);
        e = assertThrows(Exception.class, () -> run("vm:boot x -kernel /nonexistent"));
        assertTrue(e.getMessage().contains("/nonexistent"), e::toString);
    }

    @Test
    void everyCommandHasHelp() throws Exception {
        for (String command : new String[] {"vm:demo", "card:swap", "card:list", "exit:list", "mem:dump", "mmu:walk", "cpu:regs"}) {
            assertTrue(run("help " + command).lines().count() >= 2, () -> command + ": " + printed);
        }
    }
}
