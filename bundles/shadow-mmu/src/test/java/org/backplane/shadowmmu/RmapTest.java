package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RmapTest {
    private final Rmap rmap = new Rmap();

    private Set<Long> of(long frame) {
        Set<Long> all = new HashSet<>();
        for (long ref = rmap.first(frame); ref != 0; ref = rmap.next()) assertTrue(all.add(ref));
        return all;
    }

    @Test
    void holdsWhatWasAddedAndNotRemoved() {
        Random random = new Random(1);
        List<Set<Long>> model = Stream.generate(() -> (Set<Long>) new HashSet<Long>()).limit(8).toList();
        for (int n = 0; n < 40_000; n++) {
            int frame = random.nextInt(8);
            long ref = 512 + random.nextInt(40);
            Set<Long> set = model.get(frame);
            if (set.remove(ref)) rmap.remove(frame, ref);
            else if (set.size() < 1 + frame * 3 && set.add(ref)) rmap.add(frame, ref);
            assertEquals(set, of(frame));
        }
        IntStream.range(0, 8).forEach(f -> assertEquals(model.get(f), of(f)));
    }

    @Test
    void singleReferenceTakesNoDescriptorAndFourShareOne() {
        for (int frame = 1; frame < 100; frame++) rmap.add(frame, 512);
        assertEquals(0, rmap.descriptors());
        rmap.add(7, 513);
        assertEquals(1, rmap.descriptors());
        rmap.add(7, 514);
        rmap.add(7, 515);
        assertEquals(1, rmap.descriptors());
        rmap.add(7, 516);
        assertEquals(2, rmap.descriptors());
        for (long ref = 512; ref < 516; ref++) rmap.remove(7, ref);
        assertEquals(0, rmap.descriptors(), "one is left");
        assertEquals(Set.of(516L), of(7));
    }

    @Test
    void removingWhatIsNotThereIsAnError() {
        assertThrows(IllegalStateException.class, () -> rmap.remove(5, 512));
        rmap.add(5, 512);
        assertThrows(IllegalStateException.class, () -> rmap.remove(5, 513));
        rmap.add(5, 514);
        assertThrows(IllegalStateException.class, () -> rmap.remove(5, 513));
        assertEquals(Set.of(512L, 514L), of(5));
    }

    @Test
    void framesBeyondTheTableAreEmpty() {
        assertEquals(Set.of(), of(1 << 20));
        rmap.add(1 << 20, 600);
        assertEquals(Set.of(600L), of(1 << 20));
        rmap.clear();
        assertEquals(Set.of(), of(1 << 20));
    }
}
