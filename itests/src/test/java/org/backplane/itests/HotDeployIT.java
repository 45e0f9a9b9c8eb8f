package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.State;
import org.backplane.board.api.Machines;
import org.backplane.itests.bad.BadActivator;
import org.backplane.itests.bad.Kinds;
import org.backplane.itests.bad.Manners;
import org.backplane.itests.card.Activator;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.CardJar;
import org.backplane.itests.support.Console;
import org.backplane.itests.support.GuestProgram;
import org.backplane.itests.support.Osgi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A jar is copied into deploy/, replaced, and removed, while guests read what its card says. */
@InContainer
class HotDeployIT {
    private static final String NAME = "com.example.alphabet";

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

    @TempDir
    Path directory;

    private Path jar;
    private final List<Machine> machines = new ArrayList<>();
    private Console console;

    @BeforeEach
    void listen() {
        jar = Path.of(Osgi.context().getProperty("felix.fileinstall.dir")).resolve("alphabet.jar");
        console = new Console();
    }

    @AfterEach
    void stop() throws IOException {
        System.setProperty(Kinds.OVER, "");
        machines.forEach(Machine::stop);
        Files.deleteIfExists(jar);
        Osgi.await("deploy/ is empty", () -> Arrays.stream(Osgi.context().getBundles()).noneMatch(b -> b.getSymbolicName().equals(NAME)));
        console.close();
    }

    private Machine machine(String name, String... devices) throws Exception {
        Path kernel = Files.write(directory.resolve(name + ".elf"), READER);
        Machine m = Osgi.service(Machines.class).create(name, Map.of(
                "m", List.of("2"),
                "kernel", List.of(kernel.toString()),
                "device", List.of(devices),
                "card-limit", List.of("1000"),
                "debugcon", List.of("file:" + directory.resolve(name))));
        machines.add(m);
        m.start();
        return m;
    }

    private static CardJar alphabet(String version) {
        String classes = Activator.class.getPackageName();
        return new CardJar(NAME, version)
                .header("Bundle-Activator", Activator.class.getName())
                .classes(classes + ".Activator", classes + ".AlphabetFactory", classes + ".AlphabetFactory$Alphabet");
    }

    /** A bundle of the same name whose card is another. */
    private static CardJar other(String version, String type, Class<?> card) {
        String activator = BadActivator.class.getName();
        return new CardJar(NAME, version)
                .header("Bundle-Activator", activator)
                .header("Card-Type", type)
                .header("Card-Class", card.getName())
                .classes(activator, activator + "$Factory", Manners.class.getName(), Kinds.class.getName())
                .classes(card == Manners.class ? new String[0] : new String[] {card.getName()});
    }

    private String said(Machine m) {
        try {
            return Files.readString(directory.resolve(m.name()));
        } catch (IOException e) {
            return "";
        }
    }

    /** From now on the guest reads letters, and has never missed one. */
    private void assertReads(Machine m) {
        int before = said(m).length();
        Osgi.await("letters for " + m.name(), () -> said(m).length() > before + 100);
        String text = said(m);
        for (int i = 0; i < text.length(); i++) assertEquals((char) ('A' + i % 26), text.charAt(i), "letter " + i + " of " + m.name());
        assertEquals(State.RUNNING, m.state());
    }

    private static String version(Machine m, String slot) {
        return m.slots().stream().filter(s -> s.slot().equals(slot)).map(Machine.SlotInfo::version).findFirst().orElse("none");
    }

    @Test
    void aJarIsPluggedReplacedAndUnpluggedUnderRunningGuests() throws Exception {
        Machine a = machine("a");
        Machine b = machine("b");
        alphabet("1.0.0").write(jar);
        console.await("alphabet.jar: machine a: alphabet plugged into slot alphabet \\(port 5e0-5e0\\)");
        console.await("alphabet.jar: machine b: alphabet plugged into slot alphabet \\(port 5e0-5e0\\)");
        assertReads(a);
        assertReads(b);

        Machine later = machine("later");
        Machine asked = machine("asked", "alphabet,id=letters");
        assertReads(later);
        assertReads(asked);
        assertEquals("1.0.0", version(later, "alphabet"));
        assertEquals("none", version(asked, "alphabet"), "it is there already");

        alphabet("1.1.0").write(jar);
        for (Machine m : machines) {
            console.await("alphabet.jar: machine " + m.name() + ", slot \\w+: alphabet@1.0.0 \\(bundle \\d+\\) -> alphabet@1.1.0 .*, pause \\d+ us");
            assertReads(m);
        }
        assertEquals("1.1.0", version(asked, "letters"));

        alphabet("1.1.0").header("Rebuilt", "yes").write(jar);
        for (Machine m : machines) {
            console.await("alphabet.jar: machine " + m.name() + ", slot \\w+: alphabet@1.1.0 \\(bundle \\d+\\) -> alphabet@1.1.0 .*");
            assertReads(m);
        }

        Files.delete(jar);
        for (Machine m : machines) console.await("alphabet.jar: machine " + m.name() + ", slot \\w+: unplugged");
        for (Machine m : machines) {
            assertTrue(m.slots().stream().noneMatch(s -> s.type().equals("alphabet")), "no slot is left");
            assertEquals(State.RUNNING, m.state());
        }
    }

    @Test
    void aJarThatCannotTakeOverLeavesTheOldOneInService() throws Exception {
        Machine m = machine("a");
        alphabet("1.0.0").write(jar);
        console.await("plugged into slot alphabet");

        alphabet("1.1.0").importing("com.example.nowhere").write(jar);
        console.await("alphabet.jar: com.example.alphabet 1.1.0 \\(bundle \\d+\\) is not taken: .*com.example.nowhere.*; "
                + "com.example.alphabet 1.0.0 \\(bundle \\d+\\) goes on in machine a, slot alphabet");
        assertReads(m);

        other("1.2.0", "alphabet", Kinds.RefusesEveryState.class).write(jar);
        console.await("alphabet.jar: com.example.alphabet 1.2.0 .* is not taken: machine a: slot alphabet: card alphabet@1.2.0 .* does not take the "
                + "state of alphabet@1.0.0 .*: I begin anew or not at all; com.example.alphabet 1.0.0 .* goes on in machine a, slot alphabet");
        assertReads(m);

        System.clearProperty(Kinds.OVER);
        other("1.3.0", "alphabet", Kinds.HangsInLoad.class).write(jar);
        console.await("alphabet.jar: com.example.alphabet 1.3.0 .* is not taken: .*: load of slot alphabet did not come back within 1000 ms; .* goes on");
        assertReads(m);
        assertEquals("1.0.0", version(m, "alphabet"));

        alphabet("1.4.0").write(jar);
        console.await("alphabet@1.0.0 .* -> alphabet@1.4.0 ");
        assertReads(m);
    }

    @Test
    void aCardSaysHowItIsPlugged() throws Exception {
        Machine m = machine("a");
        other("1.0.0", "polite", Manners.class).header("Card-Plug", "no").write(jar);
        console.await("alphabet.jar: card polite is not plugged by itself: card:plug a polite");
        assertEquals("none", version(m, "polite"));

        other("1.1.0", "polite", Manners.class).header("Card-Plug", "port=0x620,irq=,id=there").write(jar);
        console.await("alphabet.jar: machine a: polite plugged into slot there \\(port 620-620\\)");
        assertEquals("1.1.0", version(m, "there"));

        Files.delete(jar);
        console.await("alphabet.jar: machine a, slot there: unplugged");
        other("1.2.0", "polite", Manners.class).header("Card-Plug", "colour=red").write(jar);
        console.await("alphabet.jar: machine a: polite is not plugged: device polite: unknown property 'colour'");
        assertEquals(State.RUNNING, m.state());
    }
}
