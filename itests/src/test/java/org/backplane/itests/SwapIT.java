package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.SwapReport;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.NumbersGuest;
import org.backplane.itests.support.NumbersGuest.Line;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.OtherVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.framework.Bundle;

/** Every kind of card is replaced while a guest uses it, and the guest loses nothing. */
@InContainer
class SwapIT {
    private static final String SHIPPED = "0.1.0";

    @ParameterizedTest
    @CsvSource({
        "com1,        org.backplane.dev-serial",
        "vga,         org.backplane.dev-vga",
        "pit,         org.backplane.dev-pit",
        "pic,         org.backplane.irqchip",
        "rtc,         org.backplane.dev-rtc",
        "i8042,       org.backplane.dev-i8042",
        "debugcon,    org.backplane.dev-debug",
        "mmu,         org.backplane.direct-mmu",
        "emulator,    org.backplane.x86-emulate",
        "cpu-backend, org.backplane.vmx"
    })
    void anotherVersionTakesOverSideBySideAndBack(String slot, String bundle) throws Exception {
        try (NumbersGuest guest = NumbersGuest.start("numbers")) {
            Bundle other = OtherVersion.installBeside(Osgi.bundle(bundle), "0.2.0");
            try {
                guest.awaitLine(guest.lastLine().number() + 50);
                assertEquals(SHIPPED, guest.slot(slot).version(), "a new version waits until it is told");

                SwapReport report = guest.machine().swap(slot, null);
                assertTrue(report.from().contains(SHIPPED) && report.to().contains("0.2.0"), report::toString);
                assertEquals("0.2.0", guest.slot(slot).version());
                assertEquals(bundle + ".other", guest.slot(slot).bundle());
                guest.proveAllCardsWork();

                guest.machine().swap(slot, guest.slot(slot).type() + "@" + SHIPPED);
                assertEquals(SHIPPED, guest.slot(slot).version());
                guest.proveAllCardsWork();
                guest.verifyEverything();
            } finally {
                other.uninstall();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "com1,        org.backplane.dev-serial",
        "vga,         org.backplane.dev-vga",
        "pit,         org.backplane.dev-pit",
        "pic,         org.backplane.irqchip",
        "rtc,         org.backplane.dev-rtc",
        "i8042,       org.backplane.dev-i8042",
        "debugcon,    org.backplane.dev-debug",
        "mmu,         org.backplane.direct-mmu",
        "emulator,    org.backplane.x86-emulate",
        "cpu-backend, org.backplane.vmx"
    })
    void anotherVersionTakesOverInPlaceAndBack(String slot, String bundle) {
        Bundle card = Osgi.bundle(bundle);
        try (NumbersGuest guest = NumbersGuest.start("numbers")) {
            try {
                OtherVersion.update(card, "0.3.0");
                guest.awaitVersion(slot, "0.3.0");
                guest.proveAllCardsWork();
            } finally {
                OtherVersion.restore(card);
            }
            guest.awaitVersion(slot, SHIPPED);
            guest.proveAllCardsWork();
            guest.verifyEverything();
        }
    }

    /**
     * The clock that counts instructions makes this exact: the guest sees the interrupts that its time has, 200 a second of the timer and 64 of
     * the clock, however often a card is replaced.
     */
    @ParameterizedTest
    @CsvSource({
        "pit,         org.backplane.dev-pit",
        "pic,         org.backplane.irqchip",
        "rtc,         org.backplane.dev-rtc",
        "cpu-backend, org.backplane.vmx"
    })
    void noInterruptIsLostOrDoubled(String slot, String bundle) throws Exception {
        Bundle card = Osgi.bundle(bundle);
        Bundle other = null;
        try (NumbersGuest guest = NumbersGuest.start("numbers", Map.of("icount", ""))) {
            guest.machine().pause();
            double began = guest.seconds();
            Line before = guest.lastLine();
            guest.machine().resume();
            for (int i = 0; i < 10; i++) {
                OtherVersion.update(card, "0.3." + i);
                guest.awaitVersion(slot, "0.3." + i);
                guest.awaitLine(guest.lastLine().number() + 20);
            }
            OtherVersion.restore(card);
            guest.awaitVersion(slot, SHIPPED);
            other = OtherVersion.installBeside(card, "0.2.0");
            for (int i = 0; i < 10; i++) {
                guest.machine().swap(slot, null);
                guest.awaitLine(guest.lastLine().number() + 20);
            }
            int ticks = guest.lastLine().ticks();
            Osgi.await("time passes", () -> guest.lastLine().ticks() >= ticks + 6);
            guest.machine().pause();
            double seconds = guest.seconds() - began;
            Line after = guest.lastLine();
            // The last line may be an interrupt old.
            assertEquals(200 * seconds, after.ticks() - before.ticks(), 2, "timer interrupts");
            assertEquals(64 * seconds, after.clocks() - before.clocks(), 2, "clock interrupts");
            guest.verifyEverything();
        } finally {
            if (other != null) other.uninstall();
        }
    }

    @Test
    void shadowAndDirectMmuTakeOverFromEachOther() throws Exception {
        try (NumbersGuest guest = NumbersGuest.start("numbers", "shadow")) {
            for (String mmu : new String[] {"direct", "shadow", "direct"}) {
                guest.machine().swap("mmu", mmu);
                assertEquals(mmu, guest.slot("mmu").type());
                guest.proveAllCardsWork();
            }
            guest.verifyEverything();
        }
    }

    @Test
    void aVersionThatIsNotThereIsRefusedAndTheOldCardStays() throws Exception {
        try (NumbersGuest guest = NumbersGuest.start("numbers")) {
            BoardException e = assertThrows(BoardException.class, () -> guest.machine().swap("com1", "serial@9.9.9"));
            assertTrue(e.getMessage().contains("serial@9.9.9"), e.getMessage());
            e = assertThrows(BoardException.class, () -> guest.machine().swap("com1", "pit"));
            assertTrue(e.getMessage().contains("com1") || e.getMessage().contains("pit"), e.getMessage());
            e = assertThrows(BoardException.class, () -> guest.machine().swap("com1", null));
            assertTrue(e.getMessage().contains("serial"), e.getMessage());
            guest.proveAllCardsWork();
            guest.verifyEverything();
        }
    }
}
