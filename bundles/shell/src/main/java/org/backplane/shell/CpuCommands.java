package org.backplane.shell;

import java.util.Locale;
import java.util.Map;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.Machine;
import org.backplane.kvm.spi.cpu.CpuState;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Looking into the CPU. */
@Component(
        service = CpuCommands.class,
        property = {
            "osgi.command.scope=cpu",
            "osgi.command.function=regs",
            "osgi.command.function=vmcs",
            "osgi.command.function=dis"
        })
public final class CpuCommands {
    private static final String REGS = "[MACHINE] [-fpu]";
    private static final String VMCS = "[MACHINE] [PART-OF-NAME]";
    private static final String DIS = "[MACHINE] [ADDRESS] [COUNT]";
    private static final int DIS_COUNT = 10, DIS_LIMIT = 4096;

    private final MachineDirectory directory;

    @Activate
    public CpuCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Descriptor("prints the registers, with -fpu those of x87 and SSE too")
    public void regs(CommandSession session, @Descriptor(REGS) String[] args) {
        Arguments a = new Arguments("cpu:regs", REGS, args);
        Machine m = directory.machine(session, a, 0);
        boolean fpu = a.takeWord("-fpu");
        a.end();
        CpuState s = m.cpu(0);
        RegisterText.print(s, System.out);
        if (fpu) RegisterText.printFpu(s, System.out);
    }

    @Descriptor("prints the fields of the active backend's VMCS, or those whose name has a part in it")
    public void vmcs(CommandSession session, @Descriptor(VMCS) String[] args) {
        Arguments a = new Arguments("cpu:vmcs", VMCS, args);
        Machine m = directory.machine(session, a, 0);
        String part = a.takeIfAny().orElse("").toLowerCase(Locale.ROOT);
        a.end();
        Map<String, Long> fields = m.vmcs(0);
        if (fields.isEmpty()) throw new CommandException(m.name() + " has no VMCS now (" + State.of(m) + ")");
        Table t = new Table("FIELD", "VALUE>");
        fields.forEach((name, value) -> {
            if (name.toLowerCase(Locale.ROOT).contains(part)) t.row(name, String.format("%x", value));
        });
        t.print(System.out);
    }

    @Descriptor("disassembles, from the next instruction on or at an address (0x7c00, cs:ip, eip+16)")
    public void dis(CommandSession session, @Descriptor(DIS) String[] args) {
        Arguments a = new Arguments("cpu:dis", DIS, args);
        Machine m = directory.machine(session, a, 0);
        CpuState s = m.cpu(0);
        long address = a.left() > 0 ? Address.parse(a.take(), s) : s.linearRip();
        int count = a.left() > 0 ? Arguments.count(a.take(), DIS_LIMIT) : DIS_COUNT;
        a.end();
        Disassembly.print(Disassembly.linear(m), address, s.segBase[CpuState.CS], s.codeBits(), count, System.out);
    }
}
