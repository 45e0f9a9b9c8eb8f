package org.backplane.shell;

import java.io.PrintStream;
import java.util.List;
import org.backplane.kvm.spi.cpu.VmcsView;
import org.backplane.kvm.spi.cpu.VmcsView.Field;
import org.backplane.kvm.spi.cpu.VmcsView.Kind;

/** Fields of a VMCS as text: a table for each group that has any, values with all digits of their width. */
final class VmcsText {
    private VmcsText() {}

    static void print(VmcsView v, List<Field> fields, PrintStream out) {
        out.println("launch state: " + (v.launched() ? "launched" : "clear"));
        for (Kind kind : Kind.values()) {
            List<Field> group = fields.stream().filter(f -> f.kind() == kind).toList();
            if (group.isEmpty()) continue;
            Table t = new Table("CODE", title(kind), "VALUE>", "").wrapped();
            for (Field f : group) t.row(String.format("%04x", f.encoding()), f.name(), value(f), f.meaning());
            t.print(out);
        }
    }

    private static String value(Field f) {
        return String.format("%0" + f.width() / 4 + "x", f.value());
    }

    private static String title(Kind kind) {
        return switch (kind) {
            case CONTROL -> "CONTROL";
            case EXIT_INFORMATION -> "EXIT INFORMATION";
            case GUEST -> "GUEST STATE";
            case HOST -> "HOST STATE";
        };
    }
}
