package org.backplane.shell;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Descriptor;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Inspector;
import org.backplane.board.api.Machine;
import org.backplane.board.api.Machines.CardType;
import org.backplane.board.api.RegisterTrace;
import org.backplane.kvm.spi.device.CardControls;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Slots and the cards in them. */
@Component(
        service = CardCommands.class,
        property = {
            "osgi.command.scope=card",
            "osgi.command.function=types",
            "osgi.command.function=list",
            "osgi.command.function=info",
            "osgi.command.function=plug",
            "osgi.command.function=unplug",
            "osgi.command.function=swap",
            "osgi.command.function=update",
            "osgi.command.function=install",
            "osgi.command.function=policy",
            "osgi.command.function=state",
            "osgi.command.function=reports",
            "osgi.command.function=trace",
            "osgi.command.function=use"
        })
public final class CardCommands {
    private static final String TYPES = "[KIND]";
    private static final String LIST = "[MACHINE]";
    private static final String SLOT = "[MACHINE] SLOT";
    private static final String PLUG = "[MACHINE] TYPE[,property=value…] [NAME]";
    private static final String SWAP = "[MACHINE] SLOT [CARD|FILE.jar]";
    private static final String UPDATE = "[MACHINE] SLOT [FILE.jar]";
    private static final String INSTALL = "FILE.jar";
    private static final String POLICY = "[MACHINE] SLOT float|pause";
    private static final String TRACE = "[MACHINE] SLOT [on|off|show] [-n COUNT]";
    private static final String USE = "[MACHINE] SLOT [CONTROL] [ARGUMENT…]";
    private static final int SHOWN = 20;

    private final MachineDirectory directory;
    private final CardBundles bundles;

    @Activate
    public CardCommands(@Reference MachineDirectory directory, BundleContext context) {
        this.directory = directory;
        bundles = new CardBundles(context);
    }

    @Descriptor("lists the types of cards that are in service, of all kinds or of one")
    public void types(CommandSession session, @Descriptor(TYPES) String[] args) {
        Arguments a = new Arguments("card:types", TYPES, args);
        Optional<String> kind = a.takeIfAny();
        a.end();
        List<CardType> all = directory.machines().cardTypes();
        if (kind.isPresent() && all.stream().noneMatch(c -> c.kind().equals(kind.get()))) {
            throw new CommandException("there is no kind of card '" + kind.get() + "' (there is: "
                    + String.join(", ", all.stream().map(CardType::kind).distinct().toList()) + ")");
        }
        Table t = new Table("KIND", "TYPE", "VERSION", "BUNDLE>", "DESCRIPTION");
        for (CardType c : all) {
            if (kind.isEmpty() || c.kind().equals(kind.get())) t.row(c.kind(), c.type(), c.version(), c.bundleId(), c.description());
        }
        t.print(System.out);
    }

    @Descriptor("lists the slots of a machine with the cards in them and their claims")
    public void list(CommandSession session, @Descriptor(LIST) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("card:list", LIST, args));
        Table t = new Table("SLOT", "KIND", "TYPE", "VERSION", "STATE", "BUNDLE", "CLAIMS");
        for (Machine.SlotInfo s : m.slots()) {
            t.row(s.slot(), s.kind(), s.type(), s.version(), s.state(), s.bundle(), Cards.claims(s.claims()));
        }
        t.print(System.out);
    }

    @Descriptor("tells all about a slot: its card, claims, properties, and other cards that would fit")
    public void info(CommandSession session, @Descriptor(SLOT) String[] args) {
        Arguments a = new Arguments("card:info", SLOT, args);
        Machine m = directory.machine(session, a, 1);
        Machine.SlotInfo s = Cards.slot(m, a.take());
        a.end();
        System.out.println("slot        " + s.slot() + " of " + m.name());
        System.out.println("card        " + s.kind() + " " + Cards.describe(s));
        System.out.println("state       " + s.state());
        for (String c : s.claims()) System.out.println("claim       " + c);
        s.properties().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .forEach(e -> System.out.println("property    " + e.getKey() + "=" + e.getValue()));
        for (CardType c : directory.machines().cardTypes()) {
            if (Cards.fits(s, c)) System.out.println("would fit   " + c.type() + "@" + c.version() + " (bundle " + c.bundleId() + "): " + c.description());
        }
    }

    @Descriptor("plugs a card into a new slot, written as for -device; NAME is the slot's")
    public void plug(CommandSession session, @Descriptor(PLUG) String[] args) {
        Arguments a = new Arguments("card:plug", PLUG, args);
        Machine m = directory.machine(session, a, 1);
        String[] parts = a.take().split(",");
        String slot = a.takeIfAny().orElse(null);
        a.end();
        Map<String, String> properties = new LinkedHashMap<>();
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            if (equals <= 0) throw new CommandException("'" + parts[i] + "' is not property=value");
            properties.put(parts[i].substring(0, equals), parts[i].substring(equals + 1));
        }
        String id = properties.remove("id");
        List<String> before = m.slots().stream().map(Machine.SlotInfo::slot).toList();
        call(() -> m.plug(parts[0], slot == null ? id : slot, properties));
        m.slots().stream()
                .filter(s -> s.state().equals("active") && (!before.contains(s.slot()) || s.slot().equals(slot == null ? id : slot)))
                .forEach(s -> System.out.println(s.slot() + ": " + Cards.describe(s) + (s.claims().isEmpty() ? "" : ", " + Cards.claims(s.claims()))));
    }

    @Descriptor("takes a slot and its card away")
    public void unplug(CommandSession session, @Descriptor(SLOT) String[] args) {
        Arguments a = new Arguments("card:unplug", SLOT, args);
        Machine m = directory.machine(session, a, 1);
        String slot = a.take();
        a.end();
        call(() -> m.unplug(slot));
        System.out.println(slot + " is gone");
    }

    @Descriptor("replaces a card side by side; CARD is TYPE, TYPE@VERSION or TYPE#BUNDLE, FILE a bundle to install")
    public void swap(CommandSession session, @Descriptor(SWAP) String[] args) {
        Arguments a = new Arguments("card:swap", SWAP, args);
        Machine m = directory.machine(session, a, 1);
        Machine.SlotInfo slot = Cards.slot(m, a.take());
        String card = a.takeIfAny().orElse(null);
        a.end();
        if (card != null && card.endsWith(".jar")) {
            long bundle = bundles.install(SessionFiles.resolve(session, card));
            card = directory.machines().cardTypes().stream()
                    .filter(c -> c.bundleId() == bundle && c.kind().equals(slot.kind()))
                    .findFirst()
                    .map(c -> c.type() + "#" + bundle)
                    .orElseThrow(() -> new CommandException("bundle " + bundle + " brings no " + slot.kind() + " card"));
        }
        String target = card;
        Machine.SwapReport r = call(() -> m.swap(slot.slot(), target));
        System.out.println(r.slot() + ": " + r.from() + " -> " + r.to() + ", pause " + Units.duration(r.pauseNanos()));
    }

    @Descriptor("updates the bundle behind a slot in place, from FILE or from where it came")
    public void update(CommandSession session, @Descriptor(UPDATE) String[] args) {
        Arguments a = new Arguments("card:update", UPDATE, args);
        Machine m = directory.machine(session, a, 1);
        Machine.SlotInfo before = Cards.slot(m, a.take());
        Optional<String> file = a.takeIfAny();
        a.end();
        if (!before.state().equals("active")) throw new CommandException("slot " + before.slot() + " is " + before.state() + ": no bundle is behind it");
        long id = directory.machines().cardTypes().stream()
                .filter(c -> c.bundle().equals(before.bundle()) && c.version().equals(before.version()))
                .findFirst()
                .orElseThrow(() -> new CommandException("the bundle " + before.bundle() + " is gone"))
                .bundleId();
        List<String> behind = m.slots().stream()
                .filter(s -> s.state().equals("active") && s.bundle().equals(before.bundle()) && s.version().equals(before.version()))
                .map(Machine.SlotInfo::slot)
                .toList();
        bundles.update(id, file.map(f -> SessionFiles.resolve(session, f)));
        for (String slot : behind) takeBack(m, slot, id);
        Machine.SlotInfo after = Cards.slot(m, before.slot());
        System.out.println(before.slot() + ": " + Cards.describe(before) + " -> " + Cards.describe(after) + "; " + m.name() + " is " + State.of(m));
    }

    /** While the bundle was away, another one with such a card may have stepped in for it. */
    private void takeBack(Machine m, String slot, long bundle) {
        Machine.SlotInfo s = Cards.slot(m, slot);
        directory.machines().cardTypes().stream()
                .filter(c -> c.bundleId() == bundle && c.kind().equals(s.kind()) && c.type().equals(s.type()))
                .filter(c -> s.state().equals("active") && !(c.bundle().equals(s.bundle()) && c.version().equals(s.version())))
                .findFirst()
                .ifPresent(c -> call(() -> m.swap(slot, c.type() + "#" + bundle)));
    }

    @Descriptor("installs and starts a bundle, and lists the cards it brings")
    public void install(CommandSession session, @Descriptor(INSTALL) String[] args) {
        Arguments a = new Arguments("card:install", INSTALL, args);
        String file = a.take();
        a.end();
        long id = bundles.install(SessionFiles.resolve(session, file));
        List<CardType> brought = directory.machines().cardTypes().stream().filter(c -> c.bundleId() == id).toList();
        System.out.println("bundle " + id + (brought.isEmpty() ? ": no cards" : ""));
        for (CardType c : brought) System.out.println(c.kind() + " " + c.type() + "@" + c.version() + ": " + c.description());
    }

    @Descriptor("tells what went wrong with cards: those that threw, hung, were refused or left something behind")
    public void reports(CommandSession session, @Descriptor(LIST) String[] args) {
        Machine m = directory.onlyMachine(session, new Arguments("card:reports", LIST, args));
        List<Machine.CardReport> all = m.cardReports();
        if (all.isEmpty()) System.out.println("no reports about cards of " + m.name());
        for (Machine.CardReport r : all) System.out.println(r.slot() + ": card " + r.card() + " " + r.what());
    }

    @Descriptor("says what to do while a card is gone: let its ports float, or pause the machine")
    public void policy(CommandSession session, @Descriptor(POLICY) String[] args) {
        Arguments a = new Arguments("card:policy", POLICY, args);
        Machine m = directory.machine(session, a, 2);
        String slot = a.take();
        String policy = a.take();
        a.end();
        call(() -> m.policy(slot, policy));
        System.out.println(slot + ": " + policy);
    }

    @Descriptor("prints the state that a card would save now")
    public void state(CommandSession session, @Descriptor(SLOT) String[] args) {
        Arguments a = new Arguments("card:state", SLOT, args);
        Machine m = directory.machine(session, a, 1);
        String slot = a.take();
        a.end();
        System.out.println(call(() -> m.cardState(slot)).stripTrailing());
    }

    @Descriptor("records accesses to a card's registers by name, with values and the guest's instruction: on, off, show")
    @Example({
        "card:trace com1 on -- from now on, also through a swap of the card",
        "card:trace com1 show -n 50 -- the last fifty, while it runs or afterwards",
        "card:trace com1 -- is it on, and how much is there?"
    })
    public void trace(CommandSession session, @Descriptor(TRACE) String[] args) {
        Arguments a = new Arguments("card:trace", TRACE, args);
        Optional<Integer> count = a.option("-n").map(n -> Arguments.count(n, RegisterTrace.SIZE));
        Machine m = directory.machine(session, a, 1);
        String slot = Cards.slot(m, a.take()).slot();
        String what = a.takeIfAny().orElse("");
        a.end();
        if (count.isPresent() && !what.equals("show")) throw a.usage();
        Inspector look = m.inspector();
        switch (what) {
            case "on" -> call(() -> look.startRegisterTrace(slot));
            case "off" -> call(() -> look.stopRegisterTrace(slot));
            case "show" -> RegisterTraceText.print(call(() -> look.registerTrace(slot)), count.orElse(SHOWN), System.out);
            case "" -> {}
            default -> throw a.usage();
        }
        System.out.println(RegisterTraceText.status(slot, call(() -> look.registerTrace(slot))));
    }

    @Descriptor("uses a control of a card, such as a button; without CONTROL it lists them")
    @Example({"card:use gpio0 -- what can be done with this card?", "card:use gpio0 press 3 -- presses its button 3"})
    public void use(CommandSession session, @Descriptor(USE) String[] args) {
        Arguments a = new Arguments("card:use", USE, args);
        Machine m = directory.machine(session, a, 1);
        String slot = Cards.slot(m, a.take()).slot();
        if (a.left() > 0) {
            String said = call(() -> m.use(slot, a.take(), List.of(a.rest())));
            if (!said.isEmpty()) System.out.println(said);
            return;
        }
        List<CardControls.Control> controls = call(() -> m.controls(slot));
        if (controls.isEmpty()) throw new CommandException("the card in slot " + slot + " has no controls");
        Table t = new Table("CONTROL", "ARGUMENTS", "DESCRIPTION");
        for (CardControls.Control c : controls) t.row(c.name(), c.arguments(), c.description());
        t.print(System.out);
    }

    private interface Call<T> {
        T run() throws BoardException;
    }

    private interface Action {
        void run() throws BoardException;
    }

    private static <T> T call(Call<T> c) {
        try {
            return c.run();
        } catch (BoardException e) {
            throw new CommandException(e.getMessage(), e);
        }
    }

    private static void call(Action a) {
        call(() -> {
            a.run();
            return null;
        });
    }
}
