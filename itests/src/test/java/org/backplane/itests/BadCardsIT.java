package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machine.CardReport;
import org.backplane.board.api.Machine.State;
import org.backplane.board.api.Machines;
import org.backplane.itests.bad.BadActivator;
import org.backplane.itests.bad.Kinds;
import org.backplane.itests.bad.Manners;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.CardJar;
import org.backplane.itests.support.GuestProgram;
import org.backplane.itests.support.Osgi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleException;

/**
 * Bundles with cards that are bad in one way each ({@link Kinds}). None harms the guest, the other cards or the other machine, and each is named with what it
 * did. The two machines live through all of them.
 */
@InContainer
class BadCardsIT {
    /** Writes to port 5E0, where the bad card is, and then a "." to the debug console, now and then, for ever. */
    private static final byte[] GUEST = GuestProgram.multiboot("""
        next:
            B9 20 4E 00 00      ; mov ecx, 20000
        wait:
            49                  ; dec ecx
            75 >wait            ; jnz wait
            66 BA E0 05         ; mov dx, 0x5e0
            EE                  ; out dx, al
            B0 2E               ; mov al, '.'
            E6 E9               ; out 0xe9, al
            EB >next            ; jmp next
        """);

    private static final String LIMIT = "400";
    private static final String SLOT = "victim";

    private final List<Bundle> bundles = new ArrayList<>();
    private Machine machine;
    private Machine second;

    @BeforeEach
    void start() throws Exception {
        System.clearProperty(Kinds.OVER);
        machine = machine("first");
        second = machine("second");
    }

    @AfterEach
    void clear() throws Exception {
        System.setProperty(Kinds.OVER, "");
        if (plugged(SLOT)) machine.unplug(SLOT);
        for (Bundle b : bundles) if (b.getState() != Bundle.UNINSTALLED) b.uninstall();
    }

    /** The machine as it came out of the last test. */
    private static Machine machine(String name) throws Exception {
        Machines machines = Osgi.service(Machines.class);
        if (machines.find(name).isPresent()) return machines.find(name).get();
        Path kernel = Files.write(file(name + ".elf"), GUEST);
        Machine m = machines.create(name, Map.of(
                "m", List.of("2"),
                "kernel", List.of(kernel.toString()),
                "card-limit", List.of(LIMIT),
                "debugcon", List.of("file:" + file(name + ".out"))));
        m.start();
        return m;
    }

    /** A file of this container. */
    private static Path file(String name) {
        return Osgi.context().getDataFile(name).toPath();
    }

    /** Both guests get on, and have what they need for it. */
    private void assertGuestsGoOn() {
        for (Machine m : List.of(machine, second)) {
            long before = said(m);
            Osgi.await("the guest of machine " + m.name() + " goes on", () -> said(m) > before);
            assertEquals(State.RUNNING, m.state());
        }
    }

    private static long said(Machine m) {
        try {
            return Files.size(file(m.name() + ".out"));
        } catch (IOException e) {
            return 0;
        }
    }

    private static CardJar jar(String kind, String version) {
        String activator = BadActivator.class.getName();
        String card = kind.equals("Manners") ? Manners.class.getName() : Kinds.class.getName() + "$" + kind;
        CardJar jar = new CardJar("com.example." + kind.toLowerCase(java.util.Locale.ROOT), version)
                .header("Bundle-Activator", activator)
                .header("Card-Type", "bad")
                .header("Card-Class", card)
                .classes(activator, activator + "$Factory", Manners.class.getName(), Kinds.class.getName());
        if (!kind.equals("Manners")) jar.classes(card);
        if (kind.equals("ThrowsAnErrorOfItsOwn")) jar.classes(Kinds.class.getName() + "$Wicked");
        return jar;
    }

    private void install(CardJar jar) throws BundleException {
        bundles.add(jar.start());
    }

    private void plug() throws BoardException {
        machine.plug("bad", SLOT, Map.of());
    }

    private boolean plugged(String slot) {
        return machine.slots().stream().anyMatch(s -> s.slot().equals(slot));
    }

    private String version(String slot) {
        return machine.slots().stream().filter(s -> s.slot().equals(slot)).map(Machine.SlotInfo::version).findFirst().orElse("");
    }

    /** A report about the card of this test. */
    private void awaitReport(String regex) {
        String card = "bad@1.0.0 (bundle " + bundles.getFirst().getBundleId() + ")";
        Osgi.await("a report '" + regex + "', there is " + machine.cardReports(), () -> machine.cardReports().stream()
                .anyMatch(r -> r.slot().equals(SLOT) && r.card().equals(card) && r.what().matches(regex)));
    }

    // ---- it does not come in ----

    @Test
    void aBundleThatDoesNotResolveIsRefusedWithWhatItMisses() {
        BundleException e = assertThrows(BundleException.class, () -> install(jar("Manners", "1.0.0").importing("com.example.nowhere")));
        assertTrue(e.getMessage().contains("com.example.nowhere"), e.getMessage());
        assertGuestsGoOn();
    }

    @ParameterizedTest
    @CsvSource({
        "ThrowsInAttach, I do not like it here",
        "HangsInAttach, attach of slot victim did not come back within 400 ms",
        "ThrowsInReset, cannot be reset: no reset",
        "AsksForWhatItDoesNotDeclare, card bad asks for PORTS 'everything' that it does not declare",
        "CannotBeInitialized, ExceptionInInitializerError"
    })
    void isRefusedWhereItIsPlugged(String kind, String message) throws Exception {
        install(jar(kind, "1.0.0"));
        BoardException e = assertThrows(BoardException.class, this::plug);
        assertTrue(e.getMessage().startsWith("slot victim: card bad@1.0.0 (bundle ") && e.getMessage().contains(message), e.getMessage());
        assertTrue(!plugged(SLOT), "no slot is left behind");
        assertGuestsGoOn();
    }

    @Test
    void aFactoryThatMakesNothingIsRefused() throws Exception {
        install(jar("Manners", "1.0.0").header("Card-Class", ""));
        BoardException e = assertThrows(BoardException.class, this::plug);
        assertTrue(e.getMessage().matches("slot victim: card bad@1.0.0 .* its factory made no device"), e.getMessage());
        assertGuestsGoOn();
    }

    @ParameterizedTest
    @CsvSource({
        "port,   0x3f8,    port range 0x3f8-0x3f8 of slot victim overlaps 0x3f8-0x3ff of slot com1",
        "window, 0x100000, MMIO range victim 0x100000-0x100fff overlaps the machine's memory",
        "port,   0x10000,  device bad: port=0x10000 is not in 0 to 65535"
    })
    void aClaimOfWhatIsTakenIsRefused(String resource, String at, String message) throws Exception {
        install(jar("Manners", "1.0.0"));
        Map<String, String> properties = new HashMap<>(Map.of(resource, at));
        BoardException e = assertThrows(BoardException.class, () -> machine.plug("bad", SLOT, properties));
        assertTrue(e.getMessage().contains(message), () -> "is: " + e.getMessage());
        assertTrue(!plugged(SLOT), "no slot is left behind");
        assertGuestsGoOn();
    }

    // ---- the guest uses it ----

    @ParameterizedTest
    @CsvSource({
        "Throws, java.lang.IllegalStateException: nobody writes here",
        "ThrowsAnErrorOfItsOwn, org.backplane.itests.bad.Kinds\\$Wicked",
        "SmugglesACheckedException, java.io.IOException: smuggled",
        "CallsItself, java.lang.StackOverflowError",
        "MissesAClass, java.lang.NoClassDefFoundError: org/backplane/itests/bad/Kinds\\$Forgotten"
    })
    void isUnpluggedWhenItThrowsAgainAndAgain(String kind, String thrown) throws Exception {
        install(jar(kind, "1.0.0"));
        plug();
        awaitReport("threw " + thrown + ".*counts as not answered");
        awaitReport("has thrown more than 16 times, at last " + thrown + ".* and is unplugged");
        Osgi.await("the slot is gone", () -> !plugged(SLOT));
        assertGuestsGoOn();
    }

    @ParameterizedTest
    @ValueSource(strings = {"LoopsForEver", "WaitsForEver", "LoopsInATimer", "WaitsInAPostedTask"})
    void isUnpluggedWhenItDoesNotComeBack(String kind) throws Exception {
        install(jar(kind, "1.0.0"));
        plug();
        awaitReport("hangs: it did not come back from a call within 400 ms, and is unplugged");
        Osgi.await("the slot is gone", () -> !plugged(SLOT));
        assertGuestsGoOn();
    }

    @Test
    void tasksThatPostTasksLeaveTheGuestItsTime() throws Exception {
        install(jar("PostsForEver", "1.0.0"));
        plug();
        assertGuestsGoOn();
        machine.unplug(SLOT);
        assertGuestsGoOn();
    }

    // ---- it is replaced ----

    @ParameterizedTest
    @CsvSource({
        "ThrowsInSave, it is mine",
        "HangsInSave, save of slot victim did not come back within 400 ms",
        "HangsInQuiesce, quiesce of slot victim did not come back within 400 ms",
        "SavesNonsense, 'bad: writes should be a number, is String'"
    })
    void isNotReplacedIfItDoesNotGiveItsState(String kind, String message) throws Exception {
        install(jar(kind, "1.0.0"));
        plug();
        install(jar("Manners", "2.0.0"));
        BoardException e = assertThrows(BoardException.class, () -> machine.swap(SLOT, "bad@2.0.0"));
        assertTrue(e.getMessage().matches("slot victim: card bad@2.0.0 .*bad@1.0.0.*") && e.getMessage().endsWith(message), e.getMessage());
        assertEquals("1.0.0", version(SLOT), "the old card stays in service");
        assertGuestsGoOn();
    }

    @ParameterizedTest
    @CsvSource({
        "RefusesEveryState, I begin anew or not at all",
        "HangsInLoad, load of slot victim did not come back within 400 ms",
        "ThrowsInAttach, I do not like it here"
    })
    void doesNotReplaceAnotherIfItDoesNotTakeItsState(String kind, String message) throws Exception {
        install(jar("Manners", "1.0.0"));
        plug();
        install(jar(kind, "2.0.0"));
        BoardException e = assertThrows(BoardException.class, () -> machine.swap(SLOT, "bad@2.0.0"));
        assertTrue(e.getMessage().startsWith("slot victim: card bad@2.0.0 (bundle ") && e.getMessage().endsWith(message), e.getMessage());
        assertEquals("1.0.0", version(SLOT), "the old card stays in service");
        assertGuestsGoOn();
    }

    @Test
    void isReportedWhenItsBundleStopsAndItsStateIsLost() throws Exception {
        install(jar("ThrowsInSave", "1.0.0"));
        plug();
        bundles.getFirst().stop();
        Osgi.await("a report", () -> machine.cardReports().stream().map(CardReport::what)
                .anyMatch(r -> r.equals("left without saving its state: the next one starts from power-on")));
        assertEquals(State.WAITING, machine.state());
        machine.unplug(SLOT);
        assertGuestsGoOn();
    }

    // ---- it leaves ----

    @ParameterizedTest
    @CsvSource({
        "ThrowsInDetach, threw java.lang.IllegalStateException: I stay as it left",
        "HangsInDetach, hangs: detach of slot victim did not come back within 400 ms",
        "LeavesAThread, 'has left, and threads of it have not: machine-first: victim-1'"
    })
    void leavesWithAReport(String kind, String report) throws Exception {
        install(jar(kind, "1.0.0"));
        plug();
        machine.unplug(SLOT);
        awaitReport(report);
        assertTrue(!plugged(SLOT), "the slot is gone");
        assertGuestsGoOn();
    }

    @Test
    void everyCallBehindItsDepartureIsRefused() throws Exception {
        System.clearProperty(Kinds.STALE);
        install(jar("StaleCalls", "1.0.0"));
        plug();
        machine.unplug(SLOT);
        Osgi.await("the calls were made", () -> System.getProperty(Kinds.STALE) != null);
        String[] told = System.getProperty(Kinds.STALE).split("\n");
        assertEquals(16, told.length);
        for (String t : told) assertEquals("the card in slot victim has been removed", t, Arrays.toString(told));
        assertGuestsGoOn();
    }
}
