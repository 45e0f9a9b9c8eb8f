package org.backplane.board.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.backplane.board.api.BoardException;
import org.backplane.board.cards.CardRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockImageTest {
    private static final int SIZE = 2048;

    @TempDir
    Path directory;

    private static byte[] pattern() {
        byte[] b = new byte[SIZE];
        for (int i = 0; i < SIZE; i++) b[i] = (byte) (i * 7);
        return b;
    }

    /** Writes across a sector border and reads all back. */
    private static byte[] writtenAt(BlockImage image, int position, int length) throws IOException {
        byte[] ones = new byte[length + 2];
        Arrays.fill(ones, (byte) 1);
        image.write(position, ones, 1, length);
        byte[] all = new byte[SIZE + 1];
        image.read(0, all, 1, SIZE);
        return Arrays.copyOfRange(all, 1, SIZE + 1);
    }

    private static byte[] expected(int position, int length) {
        byte[] b = pattern();
        Arrays.fill(b, position, position + length, (byte) 1);
        return b;
    }

    @Test
    void anImageInMemoryIsWrittenToACopy() throws IOException {
        byte[] bytes = pattern();
        try (BlockImage image = BlockImage.of(bytes)) {
            assertEquals(SIZE, image.size());
            assertArrayEquals(expected(500, 100), writtenAt(image, 500, 100));
        }
        assertArrayEquals(pattern(), bytes);
    }

    @Test
    void aSnapshotLeavesTheFileAlone() throws Exception {
        Path file = Files.write(directory.resolve("disk"), pattern());
        try (BlockImage image = BlockImage.open("fda", file, true)) {
            assertArrayEquals(expected(1000, 600), writtenAt(image, 1000, 600));
            image.flush();
        }
        assertArrayEquals(pattern(), Files.readAllBytes(file));
    }

    @Test
    void withoutSnapshotTheFileIsWritten() throws Exception {
        Path file = Files.write(directory.resolve("disk"), pattern());
        try (BlockImage image = BlockImage.open("fda", file, false)) {
            writtenAt(image, 3, 700);
        }
        assertArrayEquals(expected(3, 700), Files.readAllBytes(file));
    }

    @Test
    void nothingIsReadOrWrittenBeyondTheEnd() throws IOException {
        try (BlockImage image = BlockImage.of(pattern())) {
            assertThrows(IOException.class, () -> image.read(SIZE - 1, new byte[2], 0, 2));
            assertThrows(IOException.class, () -> image.write(-1, new byte[2], 0, 2));
        }
    }

    @Test
    void anUnknownBuiltInImageIsNamed() {
        BlockImages images = new BlockImages(new CardRegistry());
        assertEquals(
                "fda: there is no built-in image 'x' (there is: none)",
                assertThrows(BoardException.class, () -> images.open("fda", "builtin:x", false)).getMessage());
        assertEquals(
                "fda: no such file: nowhere", assertThrows(BoardException.class, () -> images.open("fda", "nowhere", false)).getMessage());
    }
}
