package org.backplane.shell;

import java.util.List;
import java.util.Locale;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.Machine;
import org.backplane.board.api.TlbEntry;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VmcsView;
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
            "osgi.command.function=tlb",
            "osgi.command.function=dis"
        })
public final class CpuCommands {
    private static final String REGS = "[MACHINE] [-fpu]";
    private static final String VMCS = "[MACHINE] [PART-OF-NAME]";
    private static final String TLB = "[MACHINE] [-user] [-supervisor] [-n COUNT]";
    private static final String DIS = "[MACHINE] [ADDRESS] [COUNT]";
    private static final int DIS_COUNT = 10, DIS_LIMIT = 4096, TLB_COUNT = 40, TLB_LIMIT = 1 << 20;

    private final MachineDirectory directory;

    @Activate
    public CpuCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Example("cpu:regs -fpu -- all of them")
    @Descriptor("prints the registers, with -fpu those of x87 and SSE too")
    public void regs(CommandSession session, @Descriptor(REGS) String[] args) {
        Arguments a = new Arguments("cpu:regs", REGS, args);
        boolean fpu = a.flag("-fpu");
        Machine m = directory.onlyMachine(session, a);
        CpuState s = m.cpu(0);
        RegisterText.print(s, System.out);
        if (fpu) RegisterText.printFpu(s, System.out);
    }

    @Descriptor("prints the VMCS, or the fields with a part of a name")
    @Example({"cpu:vmcs -- all", "cpu:vmcs guest_cr -- the control registers that the processor runs with", "cpu:vmcs controls -- what exits"})
    public void vmcs(CommandSession session, @Descriptor(VMCS) String[] args) {
        Arguments a = new Arguments("cpu:vmcs", VMCS, args);
        Machine m = directory.machine(session, a, 0);
        String part = a.takeIfAny().orElse("").toLowerCase(Locale.ROOT);
        a.end();
        VmcsView v = Inspecting.ask(() -> m.inspector().vmcs(0));
        if (v.fields().isEmpty()) throw new CommandException("the CPU backend of " + m.name() + " has no VMCS");
        List<VmcsView.Field> some = v.fields().stream().filter(f -> f.name().toLowerCase(Locale.ROOT).contains(part)).toList();
        if (some.isEmpty()) throw new CommandException("no field of the VMCS has '" + part + "' in its name");
        VmcsText.print(v, some, System.out);
    }

    @Descriptor("lists what the TLB holds")
    @Example({"cpu:tlb -- the first forty pages", "cpu:tlb -user -n 1000 -- those for user accesses"})
    public void tlb(CommandSession session, @Descriptor(TLB) String[] args) {
        Arguments a = new Arguments("cpu:tlb", TLB, args);
        boolean user = a.flag("-user");
        boolean supervisor = a.flag("-supervisor");
        int limit = a.option("-n").map(n -> Arguments.count(n, TLB_LIMIT)).orElse(TLB_COUNT);
        Machine m = directory.onlyMachine(session, a);
        List<TlbEntry> all = Inspecting.ask(() -> m.inspector().tlb(0));
        List<TlbEntry> some = all.stream().filter(e -> user == supervisor || e.user() == user).toList();
        Table t = new Table("GVA", "GPA", "RIGHTS", "FOR", "");
        for (TlbEntry e : some.subList(0, Math.min(limit, some.size()))) {
            t.row(
                    String.format("0x%08x", e.gva()),
                    e.gpa() < 0 ? "?" : String.format("0x%08x", e.gpa()),
                    Bits.rights(e.read(), e.write(), e.execute()),
                    e.user() ? "user" : "supervisor",
                    e.global() ? "global" : "");
        }
        if (!some.isEmpty()) t.print(System.out);
        long users = all.stream().filter(TlbEntry::user).count();
        System.out.println((limit < some.size() ? limit + " shown (-n COUNT shows more) of " : "") + Units.count(all.size()) + " pages, "
                + Units.count(all.size() - users) + " for a supervisor, " + Units.count(users) + " for a user");
    }

    @Example({"cpu:dis -- the next ten instructions", "cpu:dis cs:0x7c00 20 -- twenty, at an address"})
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
