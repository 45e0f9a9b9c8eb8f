package org.backplane.cli;

import java.nio.file.Path;
import java.util.List;
import org.backplane.board.api.MachineFile;
import org.backplane.board.api.MachineOptions;
import org.backplane.board.api.MachineOptions.Option;
import org.backplane.board.api.Machines;

/** The lists that {@code -OPTION help} prints. */
final class HelpLists {
    private final Machines machines;
    private final Path machineFiles;

    HelpLists(Machines machines, Path machineFiles) {
        this.machines = machines;
        this.machineFiles = machineFiles;
    }

    /** @param what the option's name, or {@code run} for all options */
    String text(String what) {
        return switch (what) {
            case "run" -> options();
            case "device", "mmu", "emulator", "cpu-backend" -> cards(what);
            case "bios" -> cards("firmware");
            case "kernel" -> cards("loader");
            case "machine" -> lines(MachineFile.names(machineFiles));
            default -> MachineOptions.find(what).map(o -> line(o)).orElse("");
        };
    }

    private String options() {
        StringBuilder b = new StringBuilder("usage: backplane run [option]...\n");
        MachineOptions.ALL.forEach(o -> b.append(line(o)));
        MachineOptions.FRONT_END.forEach(o -> b.append(line(o)));
        b.append("-OPTION help lists what an option takes.\n")
                .append("Exit status: 0 power-off, (v<<1)|1 from isa-debug-exit, 2 bad usage, 3 guest ended by an error, 124 timeout.\n");
        return b.toString();
    }

    private static String line(Option o) {
        String left = "-" + o.name() + (o.argument().isEmpty() ? "" : " " + o.argument());
        return String.format("  %-34s %s%s%n", left, o.help(), o.multiple() ? " (may be repeated)" : "");
    }

    private String cards(String kind) {
        StringBuilder b = new StringBuilder();
        for (Machines.CardType c : machines.cardTypes()) {
            if (c.kind().equals(kind)) b.append(String.format("  %-16s %-10s %s%n", c.type(), c.version(), c.description()));
        }
        return b.toString();
    }

    private static String lines(List<String> names) {
        StringBuilder b = new StringBuilder();
        names.forEach(n -> b.append("  ").append(n).append('\n'));
        return b.toString();
    }
}
