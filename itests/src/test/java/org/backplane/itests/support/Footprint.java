package org.backplane.itests.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a JVM holds after two forced collections, to be compared with what it held before.
 *
 * @param threads names of the live threads, sorted; without those of pools
 * @param classes loaded ones
 * @param metaspace bytes in use
 */
public record Footprint(List<String> threads, int classes, long metaspace) {
    private static final int MORE_CLASSES = 50;
    private static final long MORE_METASPACE = 3 << 20;
    private static final int COLLECTIONS = 2;

    /** Threads of pools, the shell's, the framework's, the board's and the JDK's, come and go by themselves. */
    private static final Pattern POOLS = Pattern.compile("session-.*|FelixResolver-.*|ForkJoinPool.*|machine-.*: cards|process reaper");

    public static Footprint now() {
        for (int i = 0; i < COLLECTIONS; i++) System.gc();
        List<String> threads = Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .filter(n -> !POOLS.matcher(n).matches())
                .sorted()
                .toList();
        int classes = ManagementFactory.getClassLoadingMXBean().getLoadedClassCount();
        long metaspace = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(p -> p.getName().equals("Metaspace"))
                .mapToLong((MemoryPoolMXBean p) -> p.getUsage().getUsed())
                .sum();
        return new Footprint(threads, classes, metaspace);
    }

    /** Nothing stayed of what was there in between. */
    public void assertLittleMoreThan(Footprint before) {
        String all = "before " + before + "\nafter " + this;
        assertEquals(before.threads, threads, "threads");
        assertTrue(classes <= before.classes + MORE_CLASSES, () -> "classes: " + all);
        assertTrue(before.metaspace > 0 && metaspace <= before.metaspace + MORE_METASPACE, () -> "metaspace: " + all);
    }

    @Override
    public String toString() {
        return threads.size() + " threads, " + classes + " classes, " + (metaspace >> 10) + " KiB of metaspace";
    }
}
