package org.backplane.shell;

import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.Machine;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Looking into the guest's page tables. */
@Component(
        service = MmuCommands.class,
        property = {"osgi.command.scope=mmu", "osgi.command.function=walk", "osgi.command.function=translate", "osgi.command.function=stats"})
public final class MmuCommands {
    private static final String ADDRESS = "[MACHINE] ADDRESS";
    private static final String MACHINE = "[MACHINE]";

    private final MachineDirectory directory;

    @Activate
    public MmuCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Descriptor("walks the guest's page tables for a linear address, one line a level")
    public void walk(CommandSession session, @Descriptor(ADDRESS) String[] args) {
        walk(session, new Arguments("mmu:walk", ADDRESS, args)).forEach(System.out::println);
    }

    @Descriptor("translates a linear address to a physical one")
    public void translate(CommandSession session, @Descriptor(ADDRESS) String[] args) {
        System.out.println(walk(session, new Arguments("mmu:translate", ADDRESS, args)).getLast());
    }

    private List<String> walk(CommandSession session, Arguments a) {
        Machine m = directory.machine(session, a, 1);
        long address = Address.parse(a.take(), m.cpu(0));
        a.end();
        List<String> lines = m.pageWalk(0, address);
        if (lines.isEmpty()) throw new CommandException(m.name() + " has no MMU now (" + State.of(m) + ")");
        return lines;
    }

    @Descriptor("prints what the active MMU and the TLB count")
    public void stats(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("mmu:stats", MACHINE, args));
        Table t = new Table("NAME", "VALUE>");
        m.stats().forEach((name, value) -> {
            if (name.startsWith("mmu.") || name.startsWith("tlb.")) t.row(name, Units.count(value));
        });
        t.print(System.out);
    }
}
