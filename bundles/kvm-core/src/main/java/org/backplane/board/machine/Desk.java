package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.Console;
import org.backplane.board.backend.CharBackend;
import org.backplane.board.backend.ConsoleBackend;
import org.backplane.kvm.spi.device.DisplaySource;

/**
 * What a person at the machine has in front: its screen, its keyboard and the terminals of its serial ports. Which card drives them is looked up each
 * time.
 *
 * <p><b>Threading.</b> Any thread.
 */
final class Desk {
    private final MachineLoop loop;
    private final SlotBoard board;
    private final CardBay bay;
    private final Typist typist;

    Desk(PcMachine machine, MachineLoop loop, SlotBoard board, CardBay bay) {
        this.loop = loop;
        this.board = board;
        this.bay = bay;
        typist = new Typist(machine, loop);
    }

    /** The screen; empty when no card has one. */
    Optional<DisplaySource.Frame> screen() {
        return loop.call(() -> board.facet(DisplaySource.class).map(DisplaySource::render));
    }

    /** The rows of the text screen; none in a graphics mode or without a display. */
    List<String> screenText() {
        return loop.call(() -> board.facet(DisplaySource.class).map(d -> List.of(d.text())).orElse(List.of()));
    }

    /** Presses and releases chords, named as in {@link Keys}. */
    void press(List<String> chords) throws BoardException {
        List<Keys.Chord> all = new ArrayList<>();
        for (String c : chords) all.add(Keys.chord(c));
        typist.press(all);
    }

    void type(String text) throws BoardException {
        typist.press(Keys.typing(text));
    }

    /** Sits down at the terminal of a slot's {@code console} back end. */
    Console attach(String slotName, Console.Output output) throws BoardException {
        return loop.ask(() -> {
            Slot slot = bay.device(slotName);
            for (CharBackend c : slot.characters().values()) if (c instanceof ConsoleBackend b) return b.attach(output);
            throw new BoardException("slot " + slotName + " has no console");
        });
    }
}
