package org.backplane.gdbstub;

import java.io.ByteArrayOutputStream;
import java.util.Optional;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineDebugger;

/** Memory as gdb sees it: linear, through the guest's tables with supervisor's eyes; or physical, if it asked for that. */
final class GuestMemory {
    private static final int PAGE = 4096;

    /** The most that fits into an answer, two digits a byte. */
    private static final long MOST = Connection.PACKET_SIZE / 2;

    private final Machine machine;
    private final MachineDebugger debugger;
    private boolean physical;

    GuestMemory(Machine machine, MachineDebugger debugger) {
        this.machine = machine;
        this.debugger = debugger;
    }

    boolean physical() {
        return physical;
    }

    void setPhysical(boolean on) {
        physical = on;
    }

    /** gdb extends addresses of a 32-bit guest by their sign where it thinks that they are signed. */
    private long fit(long address) {
        return machine.cpu(0).longModeActive() ? address : address & 0xffffffffL;
    }

    /** The bytes up to the first page that is not there, no more than fit an answer. */
    byte[] read(long at, long length) {
        long address = fit(at);
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        long most = Long.compareUnsigned(length, MOST) < 0 ? length : MOST;
        while (all.size() < most) {
            long from = address + all.size();
            int n = (int) Math.min(most - all.size(), PAGE - (from & PAGE - 1));
            Optional<byte[]> page = physical ? Optional.of(machine.readPhysical(from, n)) : machine.readLinear(0, from, n);
            if (page.isEmpty()) break;
            all.writeBytes(page.get());
        }
        return all.toByteArray();
    }

    boolean write(long at, byte[] bytes) {
        return physical ? debugger.writePhysical(at, bytes) : debugger.writeLinear(0, fit(at), bytes);
    }
}
