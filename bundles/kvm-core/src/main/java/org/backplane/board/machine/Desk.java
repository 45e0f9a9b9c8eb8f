package org.backplane.board.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine.Console;
import org.backplane.board.backend.CharBackend;
import org.backplane.board.backend.ConsoleBackend;
import org.backplane.kvm.spi.device.CardControls;
import org.backplane.kvm.spi.device.CardControls.Control;
import org.backplane.kvm.spi.device.DisplaySource;

/**
 * What a person at the machine has in front: its screen, its keyboard, the terminals of its serial ports, and the controls of its cards. Which card drives
 * them is looked up each time.
 *
 * <p><b>Threading.</b> Any thread.
 */
final class Desk {
    private final PcMachine machine;
    private final MachineLoop loop;
    private final SlotBoard board;
    private final CardBay bay;
    private final Typist typist;
    private final CardLimit limit;

    Desk(PcMachine machine, MachineLoop loop, SlotBoard board, CardBay bay) {
        this.machine = machine;
        this.loop = loop;
        this.board = board;
        this.bay = bay;
        limit = machine.limit();
        typist = new Typist(machine, loop);
    }

    /** The screen; empty when no card has one. */
    Optional<DisplaySource.Frame> screen() {
        return loop.call(() -> limit.call("render of the screen", () -> board.facet(DisplaySource.class).map(DisplaySource::render)));
    }

    /** The rows of the text screen; none in a graphics mode or without a display. */
    List<String> screenText() {
        return loop.call(() -> limit.call("text of the screen", () -> board.facet(DisplaySource.class).map(d -> List.of(d.text())).orElse(List.of())));
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

    /** What can be done with the card in a slot. */
    List<Control> controls(String slot) throws BoardException {
        return loop.ask(() -> limit.<List<Control>, BoardException>call(
                "controls of slot " + slot, () -> facet(slot).map(CardControls::controls).orElse(List.of())));
    }

    /** Does it; a card that throws something else than about its arguments is reported like everywhere. */
    String use(String slot, String control, List<String> arguments) throws BoardException {
        return loop.ask(() -> {
            CardControls controls = facet(slot).orElseThrow(() -> new BoardException("the card in slot " + slot + " has no controls"));
            try {
                return limit.call("control " + control + " of slot " + slot, () -> controls.use(control, arguments));
            } catch (IllegalArgumentException e) {
                throw new BoardException("slot " + slot + ": " + e.getMessage(), e);
            } catch (RuntimeException | LinkageError e) {
                machine.cardThrew(slot, e);
                throw new BoardException("slot " + slot + ": the card threw " + e, e);
            }
        });
    }

    private Optional<CardControls> facet(String name) throws BoardException {
        Slot slot = bay.device(name);
        if (!slot.occupied()) throw new BoardException("slot " + name + " has no card now");
        return slot.context.facet(CardControls.class);
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
