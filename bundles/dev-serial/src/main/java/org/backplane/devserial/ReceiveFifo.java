package org.backplane.devserial;

import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterArray;
import org.backplane.devicekit.RegisterFile;

/** The 16 characters between line and RBR. A ring whose contents, order and fill level are registers, so that they are saved by name. */
final class ReceiveFifo {
    static final int DEPTH = 16;

    private final RegisterArray data;
    private final Register head;
    private final Register count;

    ReceiveFifo(RegisterFile file) {
        data = file.array("rx", DEPTH, 8);
        head = file.register("rx_head", 8);
        count = file.register("rx_count", 8);
    }

    /** Characters in it, 0 to 16. */
    int count() {
        return count.intValue();
    }

    /** The caller sees to it that there is room. */
    void add(int b) {
        data.set(head.intValue() + count.intValue() & DEPTH - 1, b);
        count.set(count.value() + 1);
    }

    /** Takes the oldest character; the last one again when there is none, as RBR keeps it. */
    int take() {
        if (count.value() == 0) return data.value(head.intValue() - 1 & DEPTH - 1);
        int b = data.value(head.intValue());
        head.set(head.intValue() + 1 & DEPTH - 1);
        count.set(count.value() - 1);
        return b;
    }

    void clear() {
        count.set(0);
    }
}
