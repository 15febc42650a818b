"""The study notes that many clauses come from: the purpose of each numbered code cell and of each section.

The notes themselves are not published with this project; this module describes them in the project's words.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A cell or a section of the notes."""

    anchor: str
    title: str
    text: str


BOOK = (
    "The notes follow chapter 8 of Deep Learning with Python by François Chollet, and train a classifier of cats and "
    "dogs on a pretrained Xception."
)

CELLS = {
    1: Part(
        "cell-1",
        "Choosing the backend",
        "Sets the environment variable `KERAS_BACKEND` to jax before Keras is imported, and registers a cell magic "
        "`%%backend NAME`. A cell under it runs if NAME is the current backend. Otherwise it prints which backend the "
        "cell needs and how to get it.",
    ),
    2: Part(
        "cell-2",
        "Downloading and unpacking",
        "Logs in to Kaggle, downloads the archive of the competition Dogs vs. Cats, and unpacks its train.zip into "
        "the current folder.",
    ),
    3: Part(
        "cell-3",
        "Making the subsets",
        "Copies the images CLASS.INDEX.jpg of a range of indices to a folder for each subset and class: training 0 to "
        "999, validation 1,000 to 1,499, test 1,500 to 2,499, of cats and of dogs alike.",
    ),
    4: Part(
        "cell-4",
        "Reading the folders",
        "Makes a data set of each subset by `image_dataset_from_directory`: images of 180 × 180 in batches of 64, the "
        "label being the number of the folder in alphabetical order.",
    ),
    5: Part(
        "cell-5",
        "Augmenting",
        "Maps three random layers over the training set, one after the other: a horizontal flip, a rotation by up to "
        "0.1 of a turn, a zoom by up to 0.2. It does so in eight parallel calls and prefetches the result.",
    ),
    6: Part(
        "cell-6",
        "Loading the base",
        "Loads the convolutional base of the preset xception_41_imagenet, asked for frozen, and the preset's "
        "preprocessing for images of 180 × 180. Freezes the base again, and prints how many weights it would "
        "still train: none.",
    ),
    7: Part(
        "cell-7",
        "Building the model",
        "Chains preprocessing, the base, global average pooling, a dense layer of 256 units without an activation, "
        "dropout of 0.25 and one sigmoid unit. Compiles it with binary cross-entropy, Adam and accuracy.",
    ),
    8: Part(
        "cell-8",
        "Training the head",
        "Trains for 30 epochs on the augmented images, keeping the model of the epoch with the lowest validation loss "
        "in a file. Then loads that file and evaluates it on the test images.",
    ),
    9: Part(
        "cell-9",
        "Unfreezing the top",
        "Makes the base trainable, then freezes all its layers but the last four, and every batch normalisation "
        "wherever it is.",
    ),
    10: Part(
        "cell-10",
        "Fine-tuning",
        "Compiles again with Adam at a learning rate of 1e-5, trains for 30 more epochs with its own checkpoint, "
        "loads the best epoch and evaluates it on the test images. Prints how many weights of the base were trained.",
    ),
}

SECTIONS = {  # {heading in the notes: section}
    "Dense Layer vs Convolution Layer": Part(
        "dense-layers-and-convolutions",
        "Dense layers and convolutions",
        "A dense layer learns global patterns of all its inputs, a convolution local ones of a small window, which is "
        "why it suits images.",
    ),
    "합성곱 신경망 (CNNs)": Part(
        "convolutional-networks",
        "Convolutional networks",
        "A pattern is recognised wherever it stands; layers upon layers go from edges and textures to shapes and "
        "objects; a feature map shows where a filter responds.",
    ),
    "패딩과 스트라이드": Part(
        "padding-and-stride",
        "Padding and stride",
        "Valid padding adds nothing, so that outputs are smaller; same padding keeps the side. The stride is how far "
        "a window moves: 1 by default, and 2 halves height and width.",
    ),
    "풀링(Pooling)": Part(
        "pooling",
        "Pooling",
        "A 2 × 2 maximum with stride 2 halves a feature map and keeps the strongest activation of each patch, which "
        "says better than a mean or a strided convolution whether a feature is there.",
    ),
    "과적합과 데이터 증강": Part(
        "overfitting-and-augmentation",
        "Overfitting and augmentation",
        "On few images a model learns them by heart. Random transformations show it a new version of each image in "
        "every epoch; that alone is not enough, and dropout is added.",
    ),
    "전이학습과 사전학습 모델": Part(
        "transfer-learning",
        "Transfer learning",
        "What a model has learnt on a large set such as ImageNet serves a new task with few images.",
    ),
    "특징 추출 vs 파인튜닝": Part(
        "feature-extraction-or-fine-tuning",
        "Feature extraction or fine-tuning",
        "Features of the base computed once are fast to train on, without augmentation; training through the frozen "
        "base allows it, at a higher cost. Freezing keeps what the base has learnt.",
    ),
    "부분 파인튜닝": Part(
        "partial-fine-tuning",
        "Partial fine-tuning",
        "Only the upper layers are tuned: lower ones see edges and colours, which serve any task, and more weights "
        "overfit sooner.",
    ),
    "내가 이해한 핵심": Part(
        "the-summary",
        "The summary",
        "The same in a few lines: local patterns, sides of outputs, presence of features, augmentation and dropout "
        "against overfitting, a pretrained base reused, and only its top tuned.",
    ),
}
