package org.backplane.board.machine;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.MachineOptions;
import org.backplane.board.backend.BlockImages;
import org.backplane.kvm.spi.cpu.RealMode;

/**
 * A machine's configuration, checked: every value that can be judged without the cards is judged here, and the message names the key.
 */
final class MachineConfig {
    private static final long CARD_LIMIT_MILLIS = 2000;
    private static final long MIN_RAM = 1L << 20;
    private static final long MAX_RAM = 64L << 30;
    private static final Set<String> LOG_ITEMS = Set.of("int", "exec", "cpu_reset", "exit", "io", "guest_errors");

    /** A {@code -device} option. */
    record DeviceOption(String type, String id, Map<String, String> properties) {}

    final Map<String, List<String>> raw;
    final long ram;
    final Optional<Path> kernel;
    final Optional<Path> initrd;
    final String append;
    final Optional<String> bios;
    final Optional<String> floppy;
    final String bootOrder;
    final boolean snapshot;
    final List<String> serial;
    final Optional<String> debugcon;
    final List<DeviceOption> devices = new ArrayList<>();
    final long wallBaseMillis;
    final boolean icount;
    final boolean noReboot;
    final boolean frozen;
    final String cpuBackend;
    final String mmu;
    final String emulator;
    final Map<String, String> mmuProperties;
    final long auditEvery;

    /** What a card may take for one call, in milliseconds; 0 for ever. */
    final long cardLimitMillis;

    /** Empty: what suits the MMU. */
    final Optional<RealMode> realMode;

    /** A kernel is entered through its 16-bit setup code, after the firmware. */
    final boolean realModeKernel;

    final boolean memoryLock;
    final Set<String> logItems;
    final Optional<Path> logFile;

    MachineConfig(Map<String, List<String>> raw) throws BoardException {
        this.raw = Map.copyOf(raw);
        checkKeys();
        ram = size("m", one("m").orElse("128"));
        kernel = file("kernel");
        initrd = file("initrd");
        append = one("append").orElse("");
        bios = one("bios");
        floppy = one("fda");
        if (!BlockImages.isBuiltIn(floppy.orElse(""))) file("fda");
        bootOrder = one("boot").orElse("a");
        snapshot = flag("snapshot");
        serial = raw.getOrDefault("serial", List.of());
        if (serial.size() > 4) throw new BoardException("serial: at most four serial ports");
        debugcon = one("debugcon");
        for (String d : raw.getOrDefault("device", List.of())) devices.add(device(d));
        wallBaseMillis = rtcBase(one("rtc").orElse("base=utc"));
        icount = flag("icount");
        noReboot = flag("no-reboot");
        frozen = flag("S");
        cpuBackend = one("cpu-backend").orElse("vmx");
        mmu = one("mmu").orElse("direct");
        emulator = one("emulator").orElse("interpreter");
        mmuProperties = one("shadow-pages").isEmpty() ? Map.of() : Map.of("shadow-pages", Long.toString(number("shadow-pages", 64)));
        cardLimitMillis = one("card-limit").isEmpty() ? CARD_LIMIT_MILLIS : number("card-limit", 0);
        auditEvery = one("audit").isEmpty() ? 0 : number("audit", 1);
        realMode = realMode(one("realmode"));
        realModeKernel = kernelEntry(one("kernel-entry"));
        memoryLock = memoryLock(one("overcommit"));
        logItems = logItems(one("d"));
        logFile = one("D").map(Path::of);
        if (kernel.isEmpty() && initrd.isPresent()) throw new BoardException("initrd: needs -kernel");
        if (kernel.isEmpty() && realModeKernel) throw new BoardException("kernel-entry: needs -kernel");
        if (kernel.isEmpty() && !append.isEmpty()) throw new BoardException("append: needs -kernel");
        if (!bootOrder.matches("[a-z]+")) throw new BoardException("boot: bad order '" + bootOrder + "'");
    }

    private void checkKeys() throws BoardException {
        for (Map.Entry<String, List<String>> e : raw.entrySet()) {
            MachineOptions.Option o = MachineOptions.ALL.stream()
                    .filter(x -> x.name().equals(e.getKey()))
                    .findFirst()
                    .orElseThrow(() -> new BoardException("unknown option '" + e.getKey() + "'"));
            if (!o.multiple() && e.getValue().size() > 1) throw new BoardException(o.name() + ": given more than once");
        }
    }

    private Optional<String> one(String key) {
        List<String> v = raw.get(key);
        return v == null || v.isEmpty() ? Optional.empty() : Optional.of(v.getFirst());
    }

    private long number(String key, int least) throws BoardException {
        String text = one(key).orElse("");
        if (!text.matches("[0-9]{1,9}")) throw new BoardException(key + ": '" + text + "' is not a number");
        long n = Long.parseLong(text);
        if (n < least) throw new BoardException(key + ": must be at least " + least + ", not " + text);
        return n;
    }

    private boolean flag(String key) throws BoardException {
        Optional<String> v = one(key);
        if (v.isEmpty()) return raw.containsKey(key);
        return switch (v.get()) {
            case "", "on", "true", "yes" -> true;
            case "off", "false", "no" -> false;
            default -> throw new BoardException(key + ": on or off, not '" + v.get() + "'");
        };
    }

    private Optional<Path> file(String key) throws BoardException {
        Optional<Path> p = one(key).map(Path::of);
        if (p.isPresent() && !Files.isRegularFile(p.get())) throw new BoardException(key + ": no such file: " + p.get());
        if (p.isPresent() && !Files.isReadable(p.get())) throw new BoardException(key + ": cannot be read: " + p.get());
        return p;
    }

    /** A size in MiB, or with suffix K, M or G. */
    private static long size(String key, String text) throws BoardException {
        String digits = text;
        int shift = 20;
        switch (text.isEmpty() ? ' ' : Character.toUpperCase(text.charAt(text.length() - 1))) {
            case 'K' -> shift = 10;
            case 'M' -> shift = 20;
            case 'G' -> shift = 30;
            default -> digits = text + " ";
        }
        long n;
        try {
            n = Long.parseLong(digits.substring(0, digits.length() - 1)) << shift;
        } catch (NumberFormatException e) {
            throw new BoardException(key + ": '" + text + "' is not a size (for example 256, 512M, 2G)");
        }
        if (n < MIN_RAM || n > MAX_RAM) throw new BoardException(key + ": memory must be 1M to 64G, not " + text);
        return n & ~4095L;
    }

    private static DeviceOption device(String text) throws BoardException {
        String[] parts = text.split(",");
        Map<String, String> properties = new LinkedHashMap<>();
        String id = null;
        for (int i = 1; i < parts.length; i++) {
            int eq = parts[i].indexOf('=');
            if (eq <= 0) throw new BoardException("device " + parts[0] + ": '" + parts[i] + "' is not property=value");
            String key = parts[i].substring(0, eq);
            String value = parts[i].substring(eq + 1);
            if (key.equals("id")) id = value;
            else properties.put(key, value);
        }
        return new DeviceOption(parts[0], id, properties);
    }

    private static long rtcBase(String text) throws BoardException {
        if (!text.startsWith("base=")) throw new BoardException("rtc: expects base=utc, base=localtime or base=DATETIME, not '" + text + "'");
        String base = text.substring(5);
        Instant now = Instant.now();
        return switch (base) {
            case "utc" -> now.toEpochMilli();
            case "localtime" -> LocalDateTime.ofInstant(now, ZoneId.systemDefault()).toInstant(ZoneOffset.UTC).toEpochMilli();
            default -> {
                try {
                    String full = base.contains("T") ? base : base + "T00:00:00";
                    yield LocalDateTime.parse(full).toInstant(ZoneOffset.UTC).toEpochMilli();
                } catch (DateTimeParseException e) {
                    throw new BoardException("rtc: '" + base + "' is no date (for example 2026-01-31T12:00:00)");
                }
            }
        };
    }

    private static Optional<RealMode> realMode(Optional<String> text) throws BoardException {
        if (text.isEmpty()) return Optional.empty();
        Optional<RealMode> mode = RealMode.of(text.get());
        if (mode.isEmpty()) throw new BoardException("realmode: " + RealMode.options() + ", not '" + text.get() + "'");
        return mode;
    }

    private static boolean kernelEntry(Optional<String> text) throws BoardException {
        return switch (text.orElse("32")) {
            case "16" -> true;
            case "32" -> false;
            default -> throw new BoardException("kernel-entry: 16 or 32, not '" + text.get() + "'");
        };
    }

    private static boolean memoryLock(Optional<String> text) throws BoardException {
        if (text.isEmpty()) return false;
        return switch (text.get()) {
            case "mem-lock=on" -> true;
            case "mem-lock=off" -> false;
            default -> throw new BoardException("overcommit: expects mem-lock=on or mem-lock=off, not '" + text.get() + "'");
        };
    }

    private static Set<String> logItems(Optional<String> text) throws BoardException {
        if (text.isEmpty()) return Set.of();
        Set<String> items = new java.util.TreeSet<>(List.of(text.get().split(",")));
        for (String i : items) {
            if (!LOG_ITEMS.contains(i)) {
                throw new BoardException("d: unknown log item '" + i + "' (known: " + String.join(", ", new java.util.TreeSet<>(LOG_ITEMS)) + ")");
            }
        }
        return items;
    }
}
