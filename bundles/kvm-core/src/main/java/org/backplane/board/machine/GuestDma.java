package org.backplane.board.machine;

import java.util.Arrays;
import java.util.function.Consumer;
import org.backplane.kvm.spi.mmu.VmMemory;

/**
 * Guest memory as cards on the bus see it: physical addresses, any length, no tables. Writes go through the memory's one door, so decoded code and
 * shadowed tables follow them.
 *
 * <p><b>Threading.</b> The machine's thread.
 */
final class GuestDma {
    private static final int PAGE = 4096;

    private final VmMemory memory;
    private final Consumer<String> log;

    /** @param log told of writes that go nowhere */
    GuestDma(VmMemory memory, Consumer<String> log) {
        this.memory = memory;
        this.log = log;
    }

    /** Where there is no memory the bus floats: all bits are set. */
    void read(long gpa, byte[] to, int offset, int length) {
        for (int done = 0; done < length; ) {
            int n = chunk(gpa + done, length - done);
            if (memory.frame(gpa + done >>> 12) != 0) memory.read(gpa + done, to, offset + done, n);
            else Arrays.fill(to, offset + done, offset + done + n, (byte) 0xff);
            done += n;
        }
    }

    /** A ROM takes nothing. */
    void write(long gpa, byte[] from, int offset, int length) {
        for (int done = 0; done < length; ) {
            int n = chunk(gpa + done, length - done);
            long gfn = gpa + done >>> 12;
            if (memory.frame(gfn) == 0) log.accept(String.format("a write of %d bytes to 0x%x has no memory", n, gpa + done));
            else if (!memory.readOnly(gfn)) memory.write(gpa + done, from, offset + done, n);
            done += n;
        }
    }

    /** Bytes up to the end of the page. */
    private static int chunk(long gpa, int left) {
        return (int) Math.min(left, PAGE - (gpa & PAGE - 1));
    }
}
