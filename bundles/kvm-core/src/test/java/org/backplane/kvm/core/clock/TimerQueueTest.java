package org.backplane.kvm.core.clock;

import static org.junit.jupiter.api.Assertions.*;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TimerQueueTest {
    private final TimerQueue queue = new TimerQueue();
    private final List<String> ran = new ArrayList<>();

    @Test
    void whatIsDueRunsInOrderOfDeadlineOnce() {
        TimerQueue.Entry a = queue.add(() -> ran.add("a"));
        TimerQueue.Entry b = queue.add(() -> ran.add("b"));
        TimerQueue.Entry c = queue.add(() -> ran.add("c"));
        a.arm(30);
        b.arm(10);
        c.arm(40);
        assertEquals(10, queue.next());
        queue.run(35);
        queue.run(35);
        assertEquals(List.of("b", "a"), ran);
        assertEquals(40, queue.next());
    }

    @Test
    void aTimerThatIsAlwaysLateDoesNotHangTheBoundary() {
        TimerQueue.Entry[] self = new TimerQueue.Entry[1];
        self[0] = queue.add(() -> {
            ran.add("x");
            self[0].arm(5);
        });
        self[0].arm(5);
        queue.run(100);
        assertEquals(1, ran.size());
        assertEquals(5, queue.next());
    }

    @Test
    void aRemovedTimerDoesNotRun() {
        TimerQueue.Entry a = queue.add(() -> ran.add("a"));
        a.arm(1);
        a.remove();
        queue.run(10);
        assertTrue(ran.isEmpty());
        assertEquals(TimerQueue.NEVER, queue.next());
    }

    @Test
    void theCountingClockFollowsInstructionsAndSkipsIdleTime() {
        long[] count = {0};
        VirtualClock clock = VirtualClock.instructions(0, () -> count[0], 1);
        count[0] = 500;
        assertEquals(1000, clock.nanos());
        assertEquals(500, clock.instructionsUntil(2000));
        assertTrue(clock.skipTo(5000));
        assertEquals(5000, clock.nanos());
        count[0] = 501;
        assertEquals(5002, clock.nanos());
    }

    @Test
    void theHostClockStandsStillWhileStopped() throws InterruptedException {
        VirtualClock clock = VirtualClock.host(0);
        assertEquals(0, clock.nanos());
        clock.start();
        Thread.sleep(2);
        clock.stop();
        long t = clock.nanos();
        assertTrue(t >= 2_000_000);
        Thread.sleep(5);
        assertEquals(t, clock.nanos());
        clock.start();
        assertTrue(clock.nanos() - t < 1_000_000_000L);
    }
}
