package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.backplane.board.api.PauseStats;
import org.backplane.board.api.PauseStats.Figures;
import org.backplane.board.cards.Card;
import org.backplane.kvm.spi.device.DeviceFactory;
import org.junit.jupiter.api.Test;

class PauseMeterTest {
    private static final Figures NONE = new Figures(0, 0, 0, 0, 0);

    private final PauseMeter meter = new PauseMeter();

    /** A card whose code comes from a class loader of its own. */
    private static Card card(long bundle) {
        ClassLoader loader = new ClassLoader(PauseMeterTest.class.getClassLoader()) {};
        Object factory = Proxy.newProxyInstance(loader, new Class<?>[] {DeviceFactory.class}, (self, method, args) -> null);
        return new Card(Card.Kind.DEVICE, (DeviceFactory) factory, "bundle" + bundle, "1.0.0", bundle);
    }

    private static Figures one(long nanos) {
        return new Figures(1, nanos, nanos, nanos, nanos);
    }

    private void assertSwaps(Figures sideBySide, Figures inPlace, Figures requests) {
        PauseStats s = meter.stats();
        assertEquals(List.of(sideBySide, inPlace, requests), List.of(s.sideBySide(), s.inPlace(), s.requests()));
        assertEquals(sideBySide.count() + inPlace.count(), s.swaps().count());
    }

    @Test
    void sideBySideIsTheWholeStopInWhichItHappens() {
        meter.stopped(1000);
        CompletableFuture<Long> pause = meter.swapped("com1");
        // The next request found the vCPU outside of the guest still.
        meter.stopped(1200);
        assertTrue(meter.standing());
        assertFalse(pause.isDone());
        meter.runs(1500);
        assertFalse(meter.standing());
        assertEquals(500, pause.join());
        assertSwaps(one(500), NONE, NONE);
        assertEquals(List.of(new PauseStats.Slot("com1", one(500), NONE)), meter.stats().slots());
    }

    @Test
    void aStopWithoutASwapIsARequests() {
        meter.stopped(1000);
        meter.runs(1100);
        assertSwaps(NONE, NONE, one(100));
    }

    @Test
    void inPlaceLastsFromTheLeavingOfTheOldCardToTheFirstInstructionWithTheNewOne() {
        meter.stopped(1000);
        meter.left("pit", card(7));
        meter.waits();
        meter.came("pit", card(7));
        meter.runs(9000);
        assertSwaps(NONE, one(8000), NONE);
    }

    @Test
    void inPlaceUnderAGuestThatRunsOnCountsTheTimeWithoutTheCard() {
        meter.stopped(1000);
        meter.left("pit", card(7));
        meter.runs(1100);
        meter.stopped(5000);
        meter.came("pit", card(7));
        meter.runs(5100);
        assertSwaps(NONE, one(4100), one(100));
    }

    @Test
    void severalSlotsOfOneUpdateAreOnePauseInAll() {
        meter.stopped(1000);
        meter.left("com1", card(7));
        meter.left("com2", card(7));
        meter.waits();
        meter.came("com1", card(7));
        meter.came("com2", card(7));
        meter.runs(2000);
        assertSwaps(NONE, one(1000), NONE);
        assertEquals(List.of("com1", "com2"), meter.stats().slots().stream().map(PauseStats.Slot::slot).toList());
    }

    @Test
    void aBundleThatIsStoppedAndStartedAgainIsNoUpdate() {
        Card same = card(7);
        meter.stopped(1000);
        meter.left("pit", same);
        meter.waits();
        meter.came("pit", same);
        meter.runs(9000);
        assertSwaps(NONE, NONE, NONE);
    }

    @Test
    void aCardOfAnotherBundleThatStepsInIsNoUpdate() {
        meter.stopped(1000);
        meter.left("pit", card(7));
        meter.came("pit", card(8));
        meter.runs(1300);
        assertSwaps(NONE, NONE, one(300));
    }

    @Test
    void whatSomebodyPausedIsNotCountedAndNobodyWaitsForIt() {
        meter.stopped(1000);
        CompletableFuture<Long> pause = meter.swapped("com1");
        meter.left("pit", card(7));
        meter.paused();
        assertEquals(0, pause.join());
        assertEquals(0, meter.swapped("com1").join());
        meter.came("pit", card(7));
        meter.runs(99_000);
        assertSwaps(NONE, NONE, NONE);
    }

    @Test
    void beforeTheFirstInstructionAndAfterTheEndNobodyWaits() {
        assertEquals(0, meter.swapped("com1").join());
        meter.stopped(1000);
        CompletableFuture<Long> pause = meter.swapped("com1");
        meter.end();
        assertEquals(0, pause.join());
        assertEquals(0, meter.swapped("com1").join());
    }
}
