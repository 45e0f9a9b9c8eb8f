package org.backplane.shell;

import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.Machine;
import org.backplane.board.api.PauseStats;
import org.backplane.board.api.PauseStats.Figures;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** What it costs the guest that cards are replaced. */
@Component(
        service = PauseCommands.class,
        property = {"osgi.command.scope=card", "osgi.command.function=pauses"})
public final class PauseCommands {
    private static final String MACHINE = "[MACHINE]";

    private final MachineDirectory directory;

    @Activate
    public PauseCommands(@Reference MachineDirectory directory) {
        this.directory = directory;
    }

    @Descriptor("tells how long the guest stood still for swaps side by side, updates in place, and other requests")
    @Example({
        "card:pauses -- from the last guest instruction before a swap to the first after: how many, percentiles, the longest",
        "card:storm 1000; card:pauses -- a thousand swaps to look at, as they come"
    })
    public void pauses(CommandSession session, @Descriptor(MACHINE) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("card:pauses", MACHINE, args));
        PauseStats p = m.pauses();
        Table t = new Table("SLOT", "PAUSES", "COUNT>", "P50>", "P99>", "MAX>", "SUM>");
        for (PauseStats.Slot s : p.slots()) {
            row(t, s.slot(), "side by side", s.sideBySide());
            row(t, s.slot(), "in place", s.inPlace());
        }
        row(t, "all", "side by side", p.sideBySide());
        row(t, "all", "in place", p.inPlace());
        row(t, "", "requests", p.requests());
        if (p.swaps().count() == 0) System.out.println("no card of " + m.name() + " has been replaced yet");
        if (t.lines().size() > 1) t.print(System.out);
    }

    private static void row(Table t, String slot, String cause, Figures f) {
        if (f.count() == 0) return;
        t.row(
                slot,
                cause,
                Units.count(f.count()),
                Units.duration(f.p50Nanos()),
                Units.duration(f.p99Nanos()),
                Units.duration(f.maxNanos()),
                Units.duration(f.totalNanos()));
    }
}
