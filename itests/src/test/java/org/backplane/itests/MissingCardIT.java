package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.State;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.NumbersGuest;
import org.backplane.itests.support.NumbersGuest.Line;
import org.backplane.itests.support.Osgi;
import org.backplane.itests.support.OtherVersion;
import org.backplane.kvm.api.Kvm;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.osgi.framework.Bundle;

/** A card's bundle stops while a guest uses the card, and comes back. */
@InContainer
class MissingCardIT {
    @AfterEach
    void everyBundleRunsAgain() throws Exception {
        for (Bundle b : Osgi.ownBundles()) b.start();
    }

    @Test
    void withPolicyFloatTheGuestGoesOnAndOutputIsLost() throws Exception {
        Bundle serial = Osgi.bundle("org.backplane.dev-serial");
        try (NumbersGuest guest = NumbersGuest.start("float")) {
            for (String slot : new String[] {"com1", "com2", "com3", "com4"}) guest.machine().policy(slot, "float");
            serial.stop();
            assertEquals("parked", guest.slot("com1").state());
            assertEquals("", guest.slot("com1").version());
            int stopped = guest.lastLine().number();
            Osgi.await("the guest goes on", () -> guest.lastDebugLine().number() > stopped + 200);
            assertEquals(State.RUNNING, guest.machine().state());
            assertTrue(guest.lastLine().number() <= stopped + 1, "nothing comes on COM1");

            serial.start();
            Osgi.await("COM1 is back", () -> guest.slot("com1").state().equals("active"));
            guest.proveAllCardsWork();
            assertEquals(1, guest.verifyGapsOnSerialOnly());
            assertTrue(guest.lastLine().mistakes() > 0, "the guest has read ports that float");
        }
    }

    @Test
    void withPolicyPauseTheMachineWaitsAndNothingIsLost() throws Exception {
        Bundle serial = Osgi.bundle("org.backplane.dev-serial");
        try (NumbersGuest guest = NumbersGuest.start("pause")) {
            serial.stop();
            assertWaits(guest, "serial");

            serial.start();
            guest.awaitState(State.RUNNING);
            assertEquals("", guest.machine().stateDetail());
            guest.proveAllCardsWork();
            guest.verifyEverything();
        }
    }

    @Test
    void aPolicyCanBeChangedWhileTheCardIsAway() throws Exception {
        Bundle rtc = Osgi.bundle("org.backplane.dev-rtc");
        try (NumbersGuest guest = NumbersGuest.start("changed")) {
            rtc.stop();
            assertWaits(guest, "rtc");
            guest.machine().policy("rtc", "float");
            guest.awaitState(State.RUNNING);
            guest.awaitLine(guest.lastLine().number() + 100);
            rtc.start();
            Osgi.await("the clock is back", () -> guest.slot("rtc").state().equals("active"));
            guest.awaitLine(guest.lastLine().number() + 100);
            guest.verifyEverything();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "org.backplane.direct-mmu,  mmu 'direct'",
        "org.backplane.x86-emulate, emulator 'interpreter'",
        "org.backplane.vmx,         cpu-backend 'vmx'"
    })
    void withoutACardOfItsCpuTheMachineWaitsUntilItReturns(String bundle, String named) throws Exception {
        Bundle card = Osgi.bundle(bundle);
        try (NumbersGuest guest = NumbersGuest.start("cpu")) {
            card.stop();
            assertWaits(guest, named);

            card.start();
            guest.awaitState(State.RUNNING);
            guest.proveAllCardsWork();
            guest.verifyEverything();
        }
    }

    private static void assertWaits(NumbersGuest guest, String named) throws InterruptedException {
        guest.awaitState(State.WAITING);
        String detail = guest.machine().stateDetail();
        assertTrue(detail.startsWith("waiting for card") && detail.contains(named), detail);
        Line stopped = guest.lastLine();
        String time = guest.machine().stats().get("time");
        Thread.sleep(150);
        assertEquals(stopped, guest.lastLine(), "the guest stands still");
        assertEquals(time, guest.machine().stats().get("time"), "and so does its clock");
    }

    @Test
    void aMachineThatWaitsCanBeStopped() throws Exception {
        Bundle mmu = Osgi.bundle("org.backplane.direct-mmu");
        NumbersGuest guest = NumbersGuest.start("stopped");
        mmu.stop();
        guest.awaitState(State.WAITING);
        guest.close();
        assertEquals(State.ENDED, guest.machine().state());
    }

    /** {@code /dev/kvm} is there while a card of each kind of the CPU's is there: that is, any MMU will do. */
    @ParameterizedTest
    @CsvSource({
        "org.backplane.x86-emulate,",
        "org.backplane.vmx,",
        "org.backplane.direct-mmu, org.backplane.shadow-mmu",
        "org.backplane.shadow-mmu, org.backplane.direct-mmu"
    })
    void withoutTheLastCardOfAKindThereIsNoKvmUntilOneReturns(String one, String other) throws Exception {
        Osgi.service(Kvm.class);
        if (other != null) {
            Osgi.bundle(other).stop();
            Osgi.await("Kvm stays", () -> Osgi.available(Kvm.class));
        }
        Osgi.bundle(one).stop();
        assertFalse(Osgi.available(Kvm.class));
        Osgi.bundle(one).start();
        Osgi.await("Kvm is back", () -> Osgi.available(Kvm.class));
    }

    @Test
    void aMachineIsNotMadeWithoutItsMmu() throws Exception {
        Osgi.bundle("org.backplane.shadow-mmu").stop();
        AssertionError e = assertThrows(AssertionError.class, () -> NumbersGuest.start("none", "shadow"));
        assertTrue(e.getCause() instanceof BoardException, e::toString);
        assertEquals("mmu: there is no card 'shadow' (there is: direct)", e.getCause().getMessage());
    }

    @Test
    void anotherVersionFillsInAtOnce() throws Exception {
        try (NumbersGuest guest = NumbersGuest.start("fill")) {
            Bundle other = OtherVersion.installBeside(Osgi.bundle("org.backplane.dev-pit"), "0.2.0");
            try {
                Osgi.bundle("org.backplane.dev-pit").stop();
                assertEquals("0.2.0", guest.slot("pit").version());
                guest.proveAllCardsWork();
                guest.verifyEverything();
            } finally {
                other.uninstall();
            }
        }
    }
}
