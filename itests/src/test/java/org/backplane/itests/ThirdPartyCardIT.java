package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.State;
import org.backplane.board.api.Machines;
import org.backplane.itests.card.Activator;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.CardJar;
import org.backplane.itests.support.GuestProgram;
import org.backplane.itests.support.Osgi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;

/** A card from outside: a bundle that is made here, plugged into a running machine, used, updated and pulled. */
@InContainer
class ThirdPartyCardIT {
    /** Prints on the debug console what it reads from port 5E0, but not what an empty port reads as. */
    private static final byte[] READER = GuestProgram.multiboot("""
            66 BA E0 05         ; mov dx, 0x5e0
        next:
            EC                  ; in al, dx
            3C FF               ; cmp al, 0xff
            74 >next            ; je next
            E6 E9               ; out 0xe9, al
            EB >next            ; jmp next
        """);

    /** Writes to port 5E0, and then a "." to the debug console, for ever. */
    private static final byte[] WRITER = GuestProgram.multiboot("""
        next:
            66 BA E0 05         ; mov dx, 0x5e0
            EE                  ; out dx, al
            B0 2E               ; mov al, '.'
            E6 E9               ; out 0xe9, al
            EB >next            ; jmp next
        """);

    @TempDir
    Path directory;

    private Bundle bundle;
    private Machine machine;

    @BeforeEach
    void install() throws Exception {
        bundle = Osgi.context().installBundle("alphabet", jar("1.0.0"));
        bundle.start();
    }

    @AfterEach
    void uninstall() throws Exception {
        if (machine != null) machine.stop();
        bundle.uninstall();
    }

    private static InputStream jar(String version) {
        String classes = Activator.class.getPackageName();
        return new CardJar("com.example.alphabet", version)
                .header("Bundle-Activator", Activator.class.getName())
                .classes(classes + ".Activator", classes + ".AlphabetFactory", classes + ".AlphabetFactory$Alphabet")
                .stream();
    }

    private void start(byte[] guest, String... devices) throws Exception {
        Path kernel = Files.write(directory.resolve("kernel"), guest);
        machine = Osgi.service(Machines.class).create("reader", Map.of(
                "m", List.of("2"),
                "kernel", List.of(kernel.toString()),
                "debugcon", List.of("file:" + directory.resolve("out")),
                "device", List.of(devices)));
        machine.start();
    }

    private String output() throws IOException {
        return Files.readString(directory.resolve("out"));
    }

    private void awaitOutput(int length) {
        Osgi.await(length + " characters from the guest", () -> output().length() >= length);
    }

    private static void assertAlphabet(String text, char first) {
        for (int i = 0; i < text.length(); i++) {
            int at = i;
            assertEquals((char) ('A' + (first - 'A' + i) % 26), text.charAt(i), () -> "character " + at);
        }
    }

    private Machine.SlotInfo slot(String name) {
        return machine.slots().stream().filter(s -> s.slot().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void isPluggedIntoARunningMachineAndPulledAgain() throws Exception {
        start(READER);
        machine.plug("alphabet", "letters", Map.of("first", "C"));
        assertEquals(List.of("port 5e0-5e0"), slot("letters").claims());
        assertEquals("com.example.alphabet", slot("letters").bundle());
        awaitOutput(1000);
        machine.unplug("letters");
        machine.pause();
        int length = output().length();
        machine.resume();
        Thread.sleep(100);
        // One letter may have been on its way from port to port.
        assertTrue(output().length() <= length + 1, "the port is empty again");
        assertAlphabet(output(), 'C');
    }

    @Test
    void canBeThereFromTheBeginning() throws Exception {
        start(READER, "alphabet,id=letters,first=X");
        awaitOutput(100);
        assertAlphabet(output(), 'X');
    }

    @Test
    void isUpdatedInPlaceWithoutLosingALetter() throws Exception {
        start(READER, "alphabet,id=letters");
        awaitOutput(1000);
        bundle.update(jar("1.1.0"));
        Osgi.await("the new version", () -> slot("letters").version().equals("1.1.0"));
        awaitOutput(output().length() + 1000);
        machine.pause();
        assertAlphabet(output(), 'A');
    }

    @Test
    void isSwappedForOneThatWasBuiltAgainUnderTheSameVersion() throws Exception {
        start(READER, "alphabet,id=letters");
        awaitOutput(1000);
        Bundle again = Osgi.context().installBundle("alphabet again", jar("1.0.0"));
        try {
            again.start();
            machine.swap("letters", "alphabet#" + again.getBundleId());
            awaitOutput(output().length() + 1000);
            machine.pause();
            assertAlphabet(output(), 'A');
        } finally {
            again.uninstall();
        }
    }

    @Test
    void isRefusedWhereAnotherCardSitsWithBothNames() throws Exception {
        start(READER, "alphabet,id=letters");
        BoardException e = assertThrows(BoardException.class, () -> machine.plug("alphabet", "more", Map.of()));
        assertTrue(e.getMessage().contains("letters") && e.getMessage().contains("more"), e.getMessage());
        e = assertThrows(BoardException.class, () -> machine.plug("alphabet", "modem", Map.of("port", "0x3ff")));
        assertTrue(e.getMessage().contains("com1") && e.getMessage().contains("modem"), e.getMessage());
        assertTrue(machine.slots().stream().noneMatch(s -> s.slot().equals("more") || s.slot().equals("modem")), "no slot is left behind");
        awaitOutput(100);
    }

    @Test
    void isRefusedWithAPropertyThatItDoesNotHave() throws Exception {
        start(READER);
        BoardException e = assertThrows(BoardException.class, () -> machine.plug("alphabet", "letters", Map.of("colour", "red")));
        assertEquals("device alphabet: unknown property 'colour' (known: first, port)", e.getMessage());
    }

    @Test
    void mayThrowAndTheGuestGoesOn() throws Exception {
        start(WRITER, "alphabet,id=letters");
        awaitOutput(1000);
        assertEquals(State.RUNNING, machine.state());
    }
}
