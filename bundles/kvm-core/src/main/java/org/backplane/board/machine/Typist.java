package org.backplane.board.machine;

import java.util.ArrayDeque;
import java.util.List;
import org.backplane.board.api.BoardException;
import org.backplane.kvm.core.clock.TimerQueue;
import org.backplane.kvm.spi.device.KeyboardInput;

/**
 * Types on the machine's keyboard: one key event every few milliseconds of virtual time, as a fast typist's keyboard sends them, and again
 * later when the keyboard's buffer is full.
 *
 * <p><b>Threading.</b> {@link #press} from anywhere; the rest on the machine's thread.
 */
final class Typist {
    private static final long INTERVAL_NANOS = 5_000_000;

    private record KeyEvent(int key, boolean down) {}

    private final PcMachine machine;
    private final MachineLoop loop;
    private final ArrayDeque<KeyEvent> waiting = new ArrayDeque<>();
    private final TimerQueue.Entry timer;

    Typist(PcMachine machine, MachineLoop loop) {
        this.machine = machine;
        this.loop = loop;
        timer = loop.timers().add(() -> machine.callback(keyboard(), this::next));
    }

    /** Queues chords: pressed in order, released in the opposite one. */
    void press(List<Keys.Chord> chords) throws BoardException {
        loop.run(() -> {
            if (machine.board().facet(KeyboardInput.class).isEmpty()) throw new BoardException("no card has a keyboard");
            for (Keys.Chord c : chords) {
                for (int k : c.keys()) waiting.add(new KeyEvent(k, true));
                for (int k : c.keys().reversed()) waiting.add(new KeyEvent(k, false));
            }
            if (timer.deadline() == TimerQueue.NEVER) timer.arm(machine.clock().nanos());
        });
    }

    /** The slot of the keyboard's card, for reports about it. */
    private String keyboard() {
        return machine.board().offering(KeyboardInput.class).map(Slot::name).orElse("keyboard");
    }

    private void next() {
        KeyEvent e = waiting.peek();
        if (e == null) return;
        timer.arm(machine.clock().nanos() + INTERVAL_NANOS);
        // While there is no keyboard, keys go nowhere.
        if (machine.board().facet(KeyboardInput.class).map(k -> k.key(e.key(), e.down())).orElse(true)) waiting.remove();
        if (waiting.isEmpty()) timer.arm(TimerQueue.NEVER);
    }
}
