package org.backplane.board.backend;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.backplane.board.api.BoardException;
import org.backplane.board.cards.Card;
import org.backplane.board.cards.Card.Kind;
import org.backplane.board.cards.CardRegistry;
import org.backplane.kvm.spi.boot.BuiltInImage;

/** Makes block back ends from what users write: a file, or {@code builtin:NAME} for an image that a bundle brings along. */
public final class BlockImages {
    private static final String BUILT_IN = "builtin:";
    private static final int SECTOR = 512;

    private final CardRegistry cards;

    public BlockImages(CardRegistry cards) {
        this.cards = cards;
    }

    /** Whether what was given names no file. */
    public static boolean isBuiltIn(String spec) {
        return spec.startsWith(BUILT_IN);
    }

    /**
     * @param key the option or property it was given with, for the error message
     * @param snapshot writes to a file are forgotten at the end, as those to a built-in image always are
     */
    public BlockImage open(String key, String spec, boolean snapshot) throws BoardException {
        if (!isBuiltIn(spec)) return BlockImage.open(key, Path.of(spec), snapshot);
        String name = spec.substring(BUILT_IN.length());
        Optional<Card> card = cards.newest(Kind.IMAGE, name);
        if (card.isEmpty()) {
            List<String> known = cards.all().stream().filter(c -> c.kind() == Kind.IMAGE).map(Card::type).distinct().toList();
            throw new BoardException(key + ": there is no built-in image '" + name + "' (there is: "
                    + (known.isEmpty() ? "none" : String.join(", ", known)) + ")");
        }
        byte[] image = ((BuiltInImage) card.get().factory()).image();
        if (image.length == 0 || image.length % SECTOR != 0) {
            throw new BoardException(key + ": the built-in image '" + name + "' is damaged: " + image.length + " bytes are no whole sectors");
        }
        return BlockImage.of(image);
    }
}
