package org.backplane.board.machine;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.BitSet;
import java.util.Set;
import org.backplane.board.api.BoardException;
import org.backplane.kvm.core.vm.KvmVm.ForeignHandler;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitHandler;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.exit.VmExit;

/**
 * The log that {@code -d} switches on, one line an event, to standard error or the file of {@code -D}.
 *
 * <p>Exits are logged by a foreign exit handler that passes them on, so that an exit is seen exactly as the bus sees it; while nothing is switched on
 * nothing of this is in the way.
 */
final class MachineLog implements AutoCloseable {
    private static final String[] TYPES = {"external", "", "NMI", "exception", "INT n", "INT1", "INT3/INTO", ""};

    private final Set<String> items;
    private final PrintStream out;
    private final boolean ownsOut;

    MachineLog(MachineConfig config) throws BoardException {
        items = config.logItems;
        ownsOut = config.logFile.isPresent();
        try {
            out = ownsOut
                    ? new PrintStream(Files.newOutputStream(config.logFile.get()), false, StandardCharsets.UTF_8)
                    : new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new BoardException("D: cannot write " + config.logFile.get() + ": " + e.getMessage());
        }
    }

    /** Every instruction is logged: the guest runs one at a time. */
    boolean everyInstruction() {
        return items.contains("exec");
    }

    /** Hooks the vCPU as the items want it. */
    void attach(VcpuContext v) {
        if (items.contains("int")) v.trace = this::event;
    }

    /** The exit handler that logs, or one without reasons. */
    ForeignHandler exitHandler() {
        BitSet reasons = new BitSet();
        if (items.contains("exit")) reasons.set(0, ExitReasons.COUNT);
        if (items.contains("io")) reasons.set(ExitReasons.IO);
        // Where it writes to may be slow.
        return new ForeignHandler(this::exit, reasons, false);
    }

    private ExitHandler.Result exit(VcpuContext v, VmExit e) {
        if (e.reason == ExitReasons.IO) {
            out.printf(
                    "io: %s port %04x size %d rax=%x rip=%x%n",
                    (e.qualification & 8) != 0 ? "in" : "out",
                    e.qualification >>> 16,
                    (e.qualification & 7) + 1,
                    v.state.gpr[RAX],
                    v.state.rip);
        } else {
            out.printf("exit: %s gva=%x gpa=%x rip=%x%n", e, e.gva, e.gpa, v.state.rip);
        }
        return ExitHandler.Result.PASS;
    }

    private void event(VcpuContext v, int info, int errorCode) {
        CpuState s = v.state;
        out.printf(
                "int: v=%02x %s e=%04x cpl=%d IP=%04x:%08x SP=%04x:%08x CR2=%08x%n",
                info & 0xff,
                TYPES[(info & INFO_TYPE) >> 8],
                (info & INFO_ERROR_CODE) != 0 ? errorCode : 0,
                s.cpl,
                s.segSel[CS],
                s.rip,
                s.segSel[SS],
                s.gpr[RSP],
                s.cr2);
    }

    void instruction(CpuState s) {
        out.printf("exec: %04x:%08x%n", s.segSel[CS], s.rip);
    }

    void reset(String reason, CpuState s) {
        if (items.contains("cpu_reset")) out.print("cpu_reset: " + reason + "\n" + MachineReport.registers(s));
    }

    /** A card said something. */
    void card(String slot, String message) {
        if (items.contains("guest_errors")) out.println("guest_errors: " + slot + ": " + message);
    }

    @Override
    public void close() {
        out.flush();
        if (ownsOut) out.close();
    }
}
