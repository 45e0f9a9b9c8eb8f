package org.backplane.shell;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * What users of QEMU's monitor type, under its names; each calls the command that does it here. This scope is looked up first, so {@code stop} means
 * what it means there: it pauses. ({@code x} and {@code xp} are in scope {@code mem}, {@code quit} comes with the launcher.)
 */
@Component(
        service = MonitorCommands.class,
        property = {
            "osgi.command.scope=monitor",
            "osgi.command.function=info",
            "osgi.command.function=stop",
            "osgi.command.function=cont",
            "osgi.command.function=sendkey",
            "osgi.command.function=screendump",
            "osgi.command.function=system_reset",
            "osgi.command.function=system_powerdown",
            "osgi.command.function=device_add",
            "osgi.command.function=device_del",
            "osgi.command.function=gva2gpa"
        })
public final class MonitorCommands {
    private static final String MACHINE = "[MACHINE]";
    private static final String INFO = "registers|status|mem|tlb|mtree|qtree|cpus|exits|kvm|name [MACHINE]";

    private final MachineDirectory directory;
    private final LifeCommands life;
    private final ScreenCommands screen;
    private final CardCommands cards;
    private final CpuCommands cpu;
    private final MmuCommands mmu;
    private final ExitCommands exits;

    @Activate
    public MonitorCommands(
            @Reference MachineDirectory directory,
            @Reference LifeCommands life,
            @Reference ScreenCommands screen,
            @Reference CardCommands cards,
            @Reference CpuCommands cpu,
            @Reference MmuCommands mmu,
            @Reference ExitCommands exits) {
        this.directory = directory;
        this.life = life;
        this.screen = screen;
        this.cards = cards;
        this.cpu = cpu;
        this.mmu = mmu;
        this.exits = exits;
    }

    @Descriptor("shows one of these; without, or with a machine's name only, the machine")
    public void info(CommandSession session, @Descriptor(INFO) String[] args) {
        Arguments a = new Arguments("info", INFO, args);
        if (a.left() == 0 || directory.machines().find(a.peek()).isPresent()) {
            life.info(session, args);
            return;
        }
        String what = a.take();
        String[] rest = a.rest();
        switch (what) {
            case "registers" -> cpu.regs(session, rest);
            case "status" -> System.out.println("VM status: " + State.of(machine(session, rest)));
            case "mem" -> mmu.map(session, rest);
            case "tlb" -> cpu.tlb(session, rest);
            case "mtree" -> claims(machine(session, rest));
            case "qtree" -> cards.list(session, rest);
            case "cpus" -> cpus(machine(session, rest));
            case "exits" -> exits.list(session, rest);
            case "kvm" -> kvm(machine(session, rest));
            case "name" -> System.out.println(machine(session, rest).name());
            default -> throw a.usage();
        }
    }

    private Machine machine(CommandSession session, String[] args) {
        return directory.onlyMachine(session, new Arguments("info", INFO, args));
    }

    private static void claims(Machine m) {
        List<String[]> lines = new ArrayList<>();
        for (Machine.SlotInfo s : m.slots()) for (String c : s.claims()) lines.add(new String[] {c, s.slot()});
        lines.sort(Comparator.comparing((String[] l) -> l[0].replaceAll(" .*", "")).thenComparing(l -> number(l[0])));
        Table t = new Table("CLAIM", "SLOT");
        lines.forEach(l -> t.row(l[0], l[1]));
        t.print(System.out);
    }

    /** Where a claim begins: hexadecimal for ports and memory, decimal for interrupts. */
    private static long number(String claim) {
        String first = claim.replaceFirst("^\\S+ ", "").replaceFirst("^(0x)?([0-9a-fA-F]+).*", "$2");
        return first.matches("[0-9a-fA-F]{1,15}") ? Long.parseLong(first, claim.startsWith("irq") ? 10 : 16) : 0;
    }

    private static void cpus(Machine m) {
        var s = m.cpu(0);
        System.out.printf("* CPU #0: pc=0x%08x %s%n", s.linearRip(), s.activity == 0 ? "active" : "halted");
    }

    private static void kvm(Machine m) {
        m.slots().stream().filter(s -> !s.kind().equals("device")).forEach(s -> System.out.println(s.slot() + ": " + Cards.describe(s)));
    }

    @Descriptor("halts the machine where it is (vm:stop ends it)")
    public void stop(CommandSession session, @Descriptor(MACHINE) String[] args) {
        life.pause(session, args);
    }

    @Descriptor("lets a halted machine go on")
    public void cont(CommandSession session, @Descriptor(MACHINE) String[] args) {
        life.resume(session, args);
    }

    @Descriptor("presses and releases keys")
    public void sendkey(CommandSession session, @Descriptor("[MACHINE] KEY…") String[] args) {
        screen.keys(session, args);
    }

    @Descriptor("writes the screen as a picture")
    public void screendump(CommandSession session, @Descriptor("[MACHINE] FILE.png") String[] args) {
        if (args.length == 0) throw new Arguments("screendump", "[MACHINE] FILE.png", args).usage();
        screen.screen(session, args);
    }

    /** QEMU's names have underscores, so these have. */
    @Descriptor("presses the reset button")
    public void system_reset(CommandSession session, @Descriptor(MACHINE) String[] args) {
        life.reset(session, args);
    }

    @Descriptor("presses the power button")
    public void system_powerdown(CommandSession session, @Descriptor(MACHINE) String[] args) {
        life.powerdown(session, args);
    }

    @Descriptor("plugs a card")
    public void device_add(CommandSession session, @Descriptor("[MACHINE] TYPE[,property=value…]") String[] args) {
        cards.plug(session, args);
    }

    @Descriptor("unplugs a card")
    public void device_del(CommandSession session, @Descriptor("[MACHINE] SLOT") String[] args) {
        cards.unplug(session, args);
    }

    @Descriptor("translates a linear address to a physical one")
    public void gva2gpa(CommandSession session, @Descriptor("[MACHINE] ADDRESS") String[] args) {
        mmu.translate(session, args);
    }
}
