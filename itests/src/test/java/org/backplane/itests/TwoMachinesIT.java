package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.board.api.Machine.State;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.NumbersGuest;
import org.backplane.itests.support.NumbersGuest.Line;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.OtherVersion;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;

/** Two machines in one container share code and nothing else. */
@InContainer
class TwoMachinesIT {
    @Test
    void anUpdateInPlaceReachesBoth() {
        Bundle serial = Osgi.bundle("org.backplane.dev-serial");
        try (NumbersGuest a = NumbersGuest.start("a"); NumbersGuest b = NumbersGuest.start("b", "shadow")) {
            try {
                OtherVersion.update(serial, "0.3.0");
                for (NumbersGuest g : new NumbersGuest[] {a, b}) {
                    g.awaitVersion("com1", "0.3.0");
                    g.proveAllCardsWork();
                }
            } finally {
                OtherVersion.restore(serial);
            }
            a.proveAllCardsWork();
            b.proveAllCardsWork();
            a.verifyEverything();
            b.verifyEverything();
        }
    }

    @Test
    void aSwapSideBySideConcernsOneOnly() throws Exception {
        try (NumbersGuest a = NumbersGuest.start("a"); NumbersGuest b = NumbersGuest.start("b")) {
            Bundle other = OtherVersion.installBeside(Osgi.bundle("org.backplane.dev-vga"), "0.2.0");
            try {
                a.machine().swap("vga", null);
                assertEquals("0.2.0", a.slot("vga").version());
                assertEquals("0.1.0", b.slot("vga").version());
                a.proveAllCardsWork();
                b.proveAllCardsWork();
                a.verifyEverything();
                b.verifyEverything();
            } finally {
                other.uninstall();
            }
        }
    }

    @Test
    void oneIsPausedAndTheOtherGoesOn() {
        try (NumbersGuest a = NumbersGuest.start("a"); NumbersGuest b = NumbersGuest.start("b")) {
            a.machine().pause();
            Line stopped = a.lastLine();
            b.proveAllCardsWork();
            assertEquals(stopped, a.lastLine());
            assertEquals(State.PAUSED, a.machine().state());
            a.machine().resume();
            a.proveAllCardsWork();
            a.verifyEverything();
            b.verifyEverything();
        }
    }
}
